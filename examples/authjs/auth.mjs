// The configuration of Auth.js. Each callback asks Gatepass; there is no adapter and no rule here.
import { setEnvDefaults } from "@auth/core";
import * as gatepass from "./gatepass.mjs";

/** For one request: `client` ({ ipAddress, userAgent }) is what Gatepass' auth log tells of whoever made it. */
export function authConfig(client) {
  const config = {
    basePath: "/api/auth",
    // server.mjs makes every URL from its own origin, never from the Host header.
    trustHost: true,
    session: { strategy: "jwt" },
    // AUTH_COMPANY_ISSUER, AUTH_COMPANY_ID, AUTH_COMPANY_SECRET and AUTH_SECRET come from the environment.
    providers: [{ id: "company", name: "Company", type: "oidc", checks: ["pkce", "state", "nonce"] }],
    pages: { error: "/auth/error" },
    callbacks: {
      signIn: (asked) => gatepass.signIn(asked, client),
      jwt: (asked) => gatepass.jwt(asked, client),
      session: (asked) => gatepass.session(asked),
      redirect: (asked) => gatepass.redirect(asked),
    },
    events: { signOut: (ended) => gatepass.signOut(ended, client) },
  };
  setEnvDefaults(process.env, config);
  return config;
}

// The configuration of Auth.js. Each callback calls Gatepass; there is no adapter and no rule here.
import { setEnvDefaults } from "@auth/core";
import * as gatepass from "./gatepass.mjs";

/** The configuration for one request. Gatepass' auth log records its `client` ({ ipAddress, userAgent }). */
export function authConfig(client) {
  const config = {
    basePath: "/api/auth",
    // server.mjs builds every URL from its own origin, never from the Host header.
    trustHost: true,
    session: { strategy: "jwt" },
    // AUTH_COMPANY_ISSUER, AUTH_COMPANY_ID, AUTH_COMPANY_SECRET and AUTH_SECRET come from the environment.
    providers: [{ id: "company", name: "Company", type: "oidc", checks: ["pkce", "state", "nonce"] }],
    pages: { error: "/auth/error" },
    callbacks: {
      signIn: (input) => gatepass.signIn(input, client),
      jwt: (input) => gatepass.jwt(input, client),
      session: (input) => gatepass.session(input),
      redirect: (input) => gatepass.redirect(input),
    },
    events: { signOut: (ended) => gatepass.signOut(ended, client) },
  };
  setEnvDefaults(process.env, config);
  return config;
}

// An OpenID provider for trials and tests on loopback: whatever name is entered signs in, with any password. The name
// is the person's id; their verified e-mail is NAME@company.com, or the name itself if it is an address.
//
//   node idp.mjs [PORT] [ORIGIN OF THE APPLICATION]
import { randomBytes } from "node:crypto";
import Provider from "oidc-provider";

const [port = "4000", origin = "http://localhost:3000"] = process.argv.slice(2);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "authjs",
      client_secret: "a-secret-for-trials",
      redirect_uris: [`${origin}/api/auth/callback/company`],
    },
  ],
  cookies: { keys: [randomBytes(32).toString("hex")] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  // E-mail and name are in the ID token, as those of Google, Entra and Okta are.
  conformIdTokenClaims: false,
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({
      sub,
      name: `Test ${sub}`,
      email: sub.includes("@") ? sub : `${sub}@company.com`,
      email_verified: !sub.startsWith("unverified"),
    }),
  }),
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 3600, Grant: 3600 },
});
provider.on("server_error", (_, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1", () => console.log(`listening on ${provider.issuer}`));

// An OpenID provider for trials and tests on loopback. It accepts every name with any password. The name is the person's
// id. The e-mail is NAME@company.com, or the name itself if it is an address. It is verified unless the name begins with
// `unverified`.
//
//   node idp.mjs [PORT] [REDIRECT_URI ...]
//
// Its clients, all with all of these redirect URIs:
//
//   authjs                    a secret in the Authorization header; for the application with Auth.js
//   gatepass, gatepass-es256  the same; ID tokens signed with RS256 and ES256
//   gatepass-post, …-es256    a secret in the form
//   gatepass-public, …-es256  no secret
//   gatepass-key, …-es256     a key: the public half is the PEM file that the variable CLIENT_KEY names
//
// SIGHUP creates new signing keys and keeps publishing the old ones. SIGUSR2 removes the old ones. With EMAIL_IN=userinfo,
// only the userinfo endpoint returns e-mail and name. RECORD names a file for the requests to the token endpoint: one line
// of JSON each, with the client's authentication, the form and the response. TLS_CERT and TLS_KEY name PEM files; then it
// listens on all addresses, and its issuer is https://HOST:PORT. While the file that JWKS_DOWN names exists, /jwks responds
// with 503. A person whose name begins with `many` is in 400 groups.
import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import Provider from "oidc-provider";
import { createMemoryAdapter } from "oidc-provider/lib/adapters/memory_adapter.js";

const [port = "4000", ...addresses] = process.argv.slice(2);
const redirect_uris = addresses.length ? addresses : ["http://localhost:3000/api/auth/callback/company"];
const { HOST, TLS_CERT, TLS_KEY } = process.env;
const issuer = TLS_CERT ? `https://${HOST}:${port}` : `http://127.0.0.1:${port}`;
const cookieKeys = [randomBytes(32).toString("hex")];
// Keeps codes and sessions across a change of keys.
const adapter = createMemoryAdapter();

const SECRET = "a-secret-for-trials";
// A secret with characters that need encoding in headers and forms.
const ODD_SECRET = "a secret: 100% + for/trials & \"tests\" = ~'";

function clients() {
  const { CLIENT_KEY } = process.env;
  const jwks = CLIENT_KEY && { keys: [createPublicKey(readFileSync(CLIENT_KEY)).export({ format: "jwk" })] };
  const client = (client_id, token_endpoint_auth_method, proof) => ({
    client_id,
    token_endpoint_auth_method,
    redirect_uris,
    ...proof,
  });
  const both = (client_id, method, proof, proofEs256 = proof) => [
    client(client_id, method, proof),
    { ...client(`${client_id}-es256`, method, proofEs256), id_token_signed_response_alg: "ES256" },
  ];
  return [
    client("authjs", "client_secret_basic", { client_secret: SECRET }),
    ...both("gatepass", "client_secret_basic", { client_secret: SECRET }, { client_secret: ODD_SECRET }),
    ...both("gatepass-post", "client_secret_post", { client_secret: SECRET }, { client_secret: ODD_SECRET }),
    ...both("gatepass-public", "none", {}),
    ...(jwks ? both("gatepass-key", "private_key_jwt", { jwks }) : []),
  ];
}

// Newest first: the provider signs with the first suitable key.
let keys = [];
function makeKeys() {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const made = [rsa, ec].map(({ privateKey }) => ({
    ...privateKey.export({ format: "jwk" }),
    kid: randomBytes(8).toString("hex"),
    use: "sig",
  }));
  keys = [...made, ...keys];
}

function provider() {
  const provider = new Provider(issuer, {
    adapter,
    clients: clients(),
    jwks: { keys },
    cookies: { keys: cookieKeys },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    // False puts e-mail and name into the ID token, as Google, Entra and Okta do.
    conformIdTokenClaims: process.env.EMAIL_IN === "userinfo",
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        name: `Test ${sub}`,
        email: sub.includes("@") ? sub : `${sub}@company.com`,
        email_verified: !sub.startsWith("unverified"),
        ...(sub.startsWith("many") && { groups: Array.from({ length: 400 }, (_, n) => `${"a group ".repeat(6)}${n}`) }),
      }),
    }),
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 3600, Grant: 3600 },
  });
  provider.on("server_error", (_, error) => console.error(error));
  if (process.env.RECORD) {
    const record = (ctx, answer) => {
      const line = { authorization: ctx.headers.authorization, sent: { ...ctx.oidc.body }, answer };
      appendFileSync(process.env.RECORD, `${JSON.stringify(line)}\n`);
    };
    provider.on("grant.success", (ctx) => record(ctx, ctx.body));
    provider.on("grant.error", (ctx, error) => record(ctx, { error: error.error, detail: error.error_detail }));
  }
  return provider.callback();
}

makeKeys();
let answer = provider();
process.on("SIGHUP", () => {
  makeKeys();
  answer = provider();
});
process.on("SIGUSR2", () => {
  keys = keys.slice(0, 2);
  answer = provider();
});
const { JWKS_DOWN } = process.env;
const respond = (request, response) =>
  JWKS_DOWN && existsSync(JWKS_DOWN) && request.url === "/jwks"
    ? response.writeHead(503).end()
    : answer(request, response);
const server = TLS_CERT
  ? createTlsServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }, respond)
  : createServer(respond);
server.listen(Number(port), TLS_CERT ? undefined : "127.0.0.1", () => console.log(`listening on ${issuer}`));

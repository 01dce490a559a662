// The four callbacks of Auth.js as calls to Gatepass. They convert arguments and results, and decide nothing. Auth.js
// keeps Gatepass' two tokens and the displayed fields of the user in its cookie.
import { randomBytes } from "node:crypto";
import { AccessDenied } from "@auth/core/errors";
import { call } from "./client.mjs";
import { fromStruct, toDate, toStruct } from "./struct.mjs";

// Data that one callback passes to the next one of the same request, and that must not be in a cookie.
const grants = new WeakMap(); // by account: from signIn to jwt
const sessions = new WeakMap(); // by token: from jwt to session

/** `signIn` → SignIn: decides the sign-in, and finds or creates the user. */
export async function signIn({ account, profile }, client) {
  const answer = await call("SignIn", {
    profile: {
      provider: account.provider,
      providerAccountId: account.providerAccountId,
      email: profile.email,
      emailVerified: Boolean(profile.email) && profile.email_verified === true,
      name: profile.name,
      image: profile.picture,
      raw: toStruct(profile),
    },
    client,
    requestId: requestId(),
  });
  switch (answer.outcome) {
    case "allowed":
      grants.set(account, answer.allowed.grant);
      return true;
    case "denied":
      return answer.denied.redirectTo;
    case "redirect":
      return answer.redirect.url;
    default:
      return false;
  }
}

/** `jwt` → IssueToken at a sign-in, RefreshToken at an update, else GetSession: this callback runs on every read. */
export async function jwt({ token, account, trigger, session: update }, client) {
  if (account) return issue(token, grants.get(account), client);
  try {
    return trigger === "update" ? await refresh(token, client, update) : await read(token, client);
  } catch (error) {
    // Null ends the session in Auth.js too. After any other error, the cookie stays and `session` returns null this time.
    if (error.endsSession) return null;
    console.error(error.message);
    return token;
  }
}

/** `session`: the session that `jwt` has just read; null if there is none. */
export function session({ token }) {
  const read = sessions.get(token);
  if (!read) return null;
  const { id, name, email, image, role } = read.user;
  // Gatepass leaves out what does not have the type that `gatepass.yaml` declares.
  /** @type {import("./claims").GatepassClaims} */
  const claims = fromStruct(read.claims);
  return { user: { id, name, email, image, role }, expires: toDate(read.expiresAt), claims };
}

/** `redirect` → ResolveRedirect, which accepts every input. */
export async function redirect({ url, baseUrl }) {
  try {
    return (await call("ResolveRedirect", { url, baseUrl })).url;
  } catch (error) {
    console.error(error.message);
    return baseUrl;
  }
}

/** The `signOut` event → SignOut: the tokens end, not only the cookie. */
export async function signOut({ token }, client) {
  if (token?.refreshToken) await call("SignOut", { refreshToken: token.refreshToken, client });
}

async function issue(token, grant, client) {
  try {
    return keep(token, await call("IssueToken", { grant, client, requestId: requestId() }));
  } catch (error) {
    // Null would continue as after a successful sign-in.
    throw error.reason === "CALLBACK_DENIED" ? new AccessDenied(error.message) : error;
  }
}

async function read(token, client) {
  try {
    return keep(token, await call("GetSession", { accessToken: token.accessToken }));
  } catch (error) {
    // If the access token is no longer valid, try the refresh token.
    if (error.endsSession) return refresh(token, client);
    throw error;
  }
}

/** Parallel requests with one cookie use the same refresh token: Gatepass gives all of them the same successor. */
async function refresh(token, client, update) {
  const isObject = typeof update === "object" && update !== null && !Array.isArray(update);
  const request = { refreshToken: token.refreshToken, client, update: isObject ? toStruct(update) : undefined };
  return keep(token, await call("RefreshToken", request));
}

/** The token for the cookie, updated from a response. */
function keep(token, { session, accessToken, refreshToken }) {
  const { id, name, email, image, role } = session.user;
  const kept = { ...token, sub: id, name, email, picture: image, role };
  if (accessToken) Object.assign(kept, { accessToken, refreshToken });
  sessions.set(kept, session);
  return kept;
}

/** A new id that makes a call safe to retry. */
function requestId() {
  return randomBytes(32).toString("base64url");
}

// The four callbacks of Auth.js, answered by Gatepass. Takes what Auth.js hands to a callback and gives back what it
// expects; decides nothing. What Auth.js keeps in its cookie are Gatepass' two tokens and what it shows of the user.
import { randomBytes } from "node:crypto";
import { AccessDenied } from "@auth/core/errors";
import { call } from "./client.mjs";
import { fromStruct, toDate, toStruct } from "./struct.mjs";

// What one callback leaves for the next one of the same request, and what no cookie shall hold.
const grants = new WeakMap(); // by account: from signIn to jwt
const sessions = new WeakMap(); // by token: from jwt to session

/** `signIn` → SignIn: who may enter, and the user who was found or created. */
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
    // Null ends the session here too. A failure does not: the cookie stays, and `session` tells nothing this time.
    if (error.endsSession) return null;
    console.error(error.message);
    return token;
  }
}

/** `session`: what `jwt` just heard of it; nobody, if that was nothing. */
export function session({ token }) {
  const told = sessions.get(token);
  if (!told) return null;
  const { id, name, email, image, role } = told.user;
  return { user: { id, name, email, image, role }, expires: toDate(told.expiresAt), claims: fromStruct(told.claims) };
}

/** `redirect` → ResolveRedirect, which has an answer to everything. */
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
    // Null would send the person on as if signed in.
    throw error.reason === "CALLBACK_DENIED" ? new AccessDenied(error.message) : error;
  }
}

async function read(token, client) {
  try {
    return keep(token, await call("GetSession", { accessToken: token.accessToken }));
  } catch (error) {
    // What the access token does not prove any more, the refresh token does, or nothing.
    if (error.endsSession) return refresh(token, client);
    throw error;
  }
}

/** Requests that come at once with one cookie all spend the same refresh token: Gatepass answers them alike. */
async function refresh(token, client, update) {
  const isObject = typeof update === "object" && update !== null && !Array.isArray(update);
  const request = { refreshToken: token.refreshToken, client, update: isObject ? toStruct(update) : undefined };
  return keep(token, await call("RefreshToken", request));
}

/** The token for the cookie, after an answer. */
function keep(token, { session, accessToken, refreshToken }) {
  const { id, name, email, image, role } = session.user;
  const kept = { ...token, sub: id, name, email, picture: image, role };
  if (accessToken) Object.assign(kept, { accessToken, refreshToken });
  sessions.set(kept, session);
  return kept;
}

/** Makes a call repeatable: an answer that got lost is given again. */
function requestId() {
  return randomBytes(32).toString("base64url");
}

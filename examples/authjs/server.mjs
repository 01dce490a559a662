// An application that signs people in with Auth.js: three pages, and Auth.js itself under /api/auth.
import http from "node:http";
import { Auth } from "@auth/core";
import { authConfig } from "./auth.mjs";

// The public origin; Gatepass has it in `base_urls`.
const { ORIGIN = "http://localhost:3000", PORT = "3000" } = process.env;
const LARGEST_BODY = 64 * 1024;

const REASONS = new Map([
  ["AccessDenied", "Only people of company.com may sign in."],
  ["OAuthAccountNotLinked", "Sign in with the provider that you used before."],
]);

const server = http.createServer(async (incoming, outgoing) => {
  const response = await answer(incoming).catch((error) => {
    console.error(error);
    return new Response("Something went wrong.", { status: 500 });
  });
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) outgoing.appendHeader(name, value);
  outgoing.end(Buffer.from(await response.arrayBuffer()));
});

async function answer(incoming) {
  // Only a proxy request has no path here.
  if (!incoming.url.startsWith("/")) return new Response("Bad request.", { status: 400 });
  const url = new URL(ORIGIN + incoming.url);
  const config = authConfig({ ipAddress: incoming.socket.remoteAddress, userAgent: incoming.headers["user-agent"] });
  if (url.pathname.startsWith("/api/auth/")) return Auth(await toRequest(incoming, url), config);
  if (url.pathname === "/") return home(incoming.headers.cookie, config);
  if (url.pathname === "/auth/banned") return page("You are banned", "Your account was suspended.");
  if (url.pathname === "/auth/error") {
    return page("You can't sign in", REASONS.get(url.searchParams.get("error")) ?? "Something failed. Try again.");
  }
  return new Response("Not found.", { status: 404 });
}

async function toRequest(incoming, url) {
  const chunks = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new Error("a body is too large");
    chunks.push(chunk);
  }
  const body = incoming.method === "POST" ? Buffer.concat(chunks) : undefined;
  return new Request(url, { method: incoming.method, headers: incoming.headers, body });
}

/** Reads the session as a browser would, so that a refreshed token reaches the cookie. */
async function home(cookie = "", config) {
  const read = await Auth(new Request(`${ORIGIN}/api/auth/session`, { headers: { cookie } }), config);
  const session = await read.json();
  const response = session
    ? page(`Hello, ${session.user.name}`, `Your id is ${session.user.id}, your role ${session.user.role}.`, "signout")
    : page("Hello", "You are not signed in.", "signin");
  for (const changed of read.headers.getSetCookie()) response.headers.append("set-cookie", changed);
  return response;
}

function page(title, text, action) {
  const escape = (words) => words.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const link = action ? `<a href="/api/auth/${action}">${action}</a>` : `<a href="/">back</a>`;
  const html = `<!doctype html><title>${escape(title)}</title><h1>${escape(title)}</h1><p>${escape(text)}</p>${link}`;
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
}

server.listen(PORT, "127.0.0.1", () => console.log(`listening on ${ORIGIN}`));

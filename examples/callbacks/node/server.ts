// The server for the rules, with authentication and shutdown.
//
//   CALLBACK_TOKEN=SECRET node dist/server.js [HOST:PORT]
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type ServerHttp2Session } from "node:http2";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { CallbackService } from "./gen/gatepass/callback/v1/callback_pb.js";
import { rules } from "./rules.js";

const { CALLBACK_TOKEN } = process.env;
if (!CALLBACK_TOKEN) {
  console.error("set CALLBACK_TOKEN, the secret that Gatepass sends");
  process.exit(1);
}
const { hostname, port } = new URL(`http://${process.argv[2] ?? "127.0.0.1:9000"}`);
// A URL has an IPv6 address in brackets, which `listen` would take for a host name.
const host = hostname.replace(/^\[(.*)\]$/, "$1");

/** Rejects calls without the secret. Gatepass sends it if `callbacks.remote.credential` is set. */
const authenticate: Interceptor = (next) => (request) => {
  const given = digest(request.header.get("authorization") ?? "");
  // Compare in constant time. Otherwise the response time reveals how much of a guess is right.
  if (!timingSafeEqual(given, expected)) {
    throw new ConnectError("send `authorization: Bearer …` with the secret", Code.Unauthenticated);
  }
  return next(request);
};
const digest = (text: string) => createHash("sha256").update(text).digest();
const expected = digest(`Bearer ${CALLBACK_TOKEN}`);

// Beyond loopback, use createSecureServer.
const server = createServer(
  connectNodeAdapter({
    routes: (router) => router.service(CallbackService, rules),
    interceptors: [authenticate],
    connect: false, // only gRPC
    grpcWeb: false,
    readMaxBytes: 1 << 20,
  }),
);

const sessions = new Set<ServerHttp2Session>();
server.on("session", (session) => {
  sessions.add(session);
  session.once("close", () => sessions.delete(session));
});
server.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
server.listen(Number(port || 80), host, () => console.log(`listening on ${hostname}:${port}`));

// Accepts no new calls and completes open ones.
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    server.close();
    for (const session of sessions) session.close();
  });
}

// The gRPC client: one channel for the life of the process, with deadlines, retries and error reasons.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AuthError } from "@auth/core/errors";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

// Beyond loopback, set GATEPASS_CA and GATEPASS_KEY, this application's key (`gatepass callers key`).
const { GATEPASS_TARGET = "127.0.0.1:50051", GATEPASS_CA, GATEPASS_KEY } = process.env;

// The timeout of a call with its retries, in milliseconds. It is below the server's own limit, so that the client decides.
const DEADLINE = 4_000;

const proto = fileURLToPath(new URL("../../proto", import.meta.url));
const options = { includeDirs: [proto], longs: Number, oneofs: true };
const definition = protoLoader.loadSync("gatepass/v1/auth.proto", options);
const { AuthService } = grpc.loadPackageDefinition(definition).gatepass.v1;

const stub = new AuthService(
  GATEPASS_TARGET,
  GATEPASS_CA ? grpc.credentials.createSsl(readFileSync(GATEPASS_CA)) : grpc.credentials.createInsecure(),
  {
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.service_config": JSON.stringify({
      methodConfig: [
        {
          name: [{ service: "gatepass.v1.AuthService" }],
          retryPolicy: {
            maxAttempts: 4,
            initialBackoff: "0.1s",
            maxBackoff: "1s",
            backoffMultiplier: 2,
            retryableStatusCodes: ["UNAVAILABLE"],
          },
        },
      ],
      retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
    }),
  },
);

const metadata = new grpc.Metadata();
if (GATEPASS_KEY) metadata.set("authorization", `Bearer ${GATEPASS_KEY}`);

/** A failed call. As an AuthError, it becomes `Configuration` on the error page, and the log shows it unchanged. */
class GatepassError extends AuthError {
  static type = "GatepassError";

  constructor(method, status) {
    const reason = status.metadata?.get("gatepass-reason")[0] ?? "";
    super(`${method}: ${grpc.status[status.code]} ${reason}: ${status.details}`);
    this.reason = reason;
    // CALLER_UNKNOWN concerns this application's own key, not the session.
    this.endsSession = status.code === grpc.status.UNAUTHENTICATED && reason !== "CALLER_UNKNOWN";
  }
}

/** Calls a method of AuthService. */
export function call(method, request) {
  return new Promise((resolve, reject) => {
    stub[method](request, metadata, { deadline: Date.now() + DEADLINE }, (status, answer) =>
      status ? reject(new GatepassError(method, status)) : resolve(answer),
    );
  });
}

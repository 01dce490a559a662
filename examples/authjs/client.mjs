// The gRPC client: one channel for the life of the process, with deadlines, retries and the reasons of errors.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AuthError } from "@auth/core/errors";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

// GATEPASS_CA is needed beyond loopback, and so is GATEPASS_KEY, this application's key (`gatepass callers key`).
const { GATEPASS_TARGET = "127.0.0.1:50051", GATEPASS_CA, GATEPASS_KEY } = process.env;

// Milliseconds a call may take, its retries included: less than the server's own limit, so that the client decides.
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

/** Why a call failed. Being an AuthError, it reaches the error page as `Configuration`, and the log as it is. */
class GatepassError extends AuthError {
  static type = "GatepassError";

  constructor(method, status) {
    const reason = status.metadata?.get("gatepass-reason")[0] ?? "";
    super(`${method}: ${grpc.status[status.code]} ${reason}: ${status.details}`);
    this.reason = reason;
    // Not if it is our own key that is not known.
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

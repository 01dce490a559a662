"""The server for the rules, with authentication, health and shutdown.

    CALLBACK_TOKEN=SECRET python server.py [HOST:PORT]
"""

import asyncio
import hmac
import os
import signal
import sys

import grpc
from gatepass.callback.v1.callback_pb2_grpc import add_CallbackServiceServicer_to_server
from grpc_health.v1 import health, health_pb2_grpc

from rules import Rules


class Credential(grpc.aio.ServerInterceptor):
    """Rejects calls without the secret. Gatepass sends it if `callbacks.remote.credential` is set."""

    def __init__(self, secret):
        async def refuse(_, context):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "send `authorization: Bearer …` with the secret")

        self.expected = f"Bearer {secret}".encode()
        self.refusal = grpc.unary_unary_rpc_method_handler(refuse)

    async def intercept_service(self, continuation, details):
        # Probes have no credential, and the health service reveals nothing.
        if details.method.startswith("/grpc.health.v1.Health/"):
            return await continuation(details)
        given = dict(details.invocation_metadata).get("authorization", "")
        # Compare in constant time. Otherwise the response time reveals how much of a guess is right.
        known = hmac.compare_digest(given.encode(), self.expected)
        return await continuation(details) if known else self.refusal


async def main(address, secret):
    server = grpc.aio.server(
        interceptors=[Credential(secret)],
        options=[("grpc.so_reuseport", 0)],  # A second server cannot take half of the calls on this port.
    )
    add_CallbackServiceServicer_to_server(Rules(), server)
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    server.add_insecure_port(address)  # Beyond loopback, use add_secure_port.
    await server.start()
    print("listening on", address, flush=True)

    signalled = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, signalled.set)
    await signalled.wait()
    await server.stop(grace=5)  # Accepts no new calls and completes open ones.


if __name__ == "__main__":
    SECRET = os.environ.get("CALLBACK_TOKEN") or sys.exit("set CALLBACK_TOKEN, the secret that Gatepass sends")
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9000", SECRET))

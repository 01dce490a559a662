"""A provider behind an HTTP proxy (tinyproxy)."""

import contextlib
import os
import socket

from providers.client import CALLBACK, refused
from providers.world import HOST
from support.programs import free_ports
from support.steps import step

PASSWORD = "a-proxy-password"
CONFIGURATION = """
Port {port}
Listen 127.0.0.1
Timeout 60
LogFile "{folder}/tinyproxy.txt"
LogLevel Connect
MaxClients 20
Allow 127.0.0.1
BasicAuth ben {password}
"""


def connects(port):
    """True if a server accepts connections on this port."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=5)):
        return True


def tunnels(world):
    """The number of tunnels that the proxy opened to the provider."""
    return (world.folder / "tinyproxy.txt").read_text(encoding="utf-8").count(f"CONNECT {HOST}:")


@step
def a_provider_is_reached_through_a_proxy_with_credentials(world):
    certificate = world.folder / "delta.pem"
    # The browser and the readiness check trust the provider, too.
    os.environ["SSL_CERT_FILE"] = str(certificate)
    tls = {"HOST": HOST, "TLS_CERT": str(certificate), "TLS_KEY": str(world.folder / "delta.key")}
    world.run_idp("delta", world.issuer_ports["delta"], [CALLBACK], world.remote_issuer(), **tls)
    world.proxy_port, = free_ports(1)
    text = CONFIGURATION.format(port=world.proxy_port, folder=world.folder, password=PASSWORD)
    (world.folder / "tinyproxy.conf").write_text(text, encoding="utf-8")
    command = ["tinyproxy", "-d", "-c", world.folder / "tinyproxy.conf"]
    world.run("tinyproxy", command, {}, lambda: connects(world.proxy_port))
    world.seen.add(PASSWORD)

    proxy = f"http://ben:{PASSWORD}@127.0.0.1:{world.proxy_port}"
    proxied = world.start_gatepass("proxied", GATEPASS_OUTBOUND__PROXY=proxy)
    assert proxied.enter("remote", world.somebody())["is_new_user"]
    assert tunnels(world) > 0
    # A provider on loopback is reached directly.
    before = tunnels(world)
    proxied.enter("basic", world.somebody())
    assert tunnels(world) == before


@step
def a_proxy_that_rejects_the_credentials_makes_the_provider_unavailable(world):
    proxy = f"http://ben:another-password@127.0.0.1:{world.proxy_port}"
    rejected = world.start_gatepass("rejected", GATEPASS_OUTBOUND__PROXY=proxy)
    refusal = refused(rejected.begin, "remote")
    assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "PROVIDER_UNAVAILABLE"), refusal
    log = world.log("rejected")
    assert "tunnel error" in log and "another-password" not in log


@step
def the_environment_names_the_proxy_and_its_exceptions(world):
    proxy = f"http://ben:{PASSWORD}@127.0.0.1:{world.proxy_port}"
    before = tunnels(world)
    world.start_gatepass("direct", HTTPS_PROXY=proxy, NO_PROXY=HOST).enter("remote", world.somebody())
    assert tunnels(world) == before
    world.start_gatepass("indirect", HTTPS_PROXY=proxy).enter("remote", world.somebody())
    assert tunnels(world) > before

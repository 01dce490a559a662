"""The rules of examples/callbacks as callers of Gatepass see them, in every language (see callbacks.sh)."""

import contextlib
import itertools
import socket
import sys
import tempfile

from callbacks.languages import COMMANDS, Language
from callbacks.world import ORIGIN, TOKEN, Refused, World
from support import jwt
from support.programs import until
from support.steps import STEPS, finish, run_steps, step
from support.stubs import generate_stubs

DENIED = "only for people of company.com and members of acme"
numbers = itertools.count(1)


def sign_in(world, email, account=None, provider="github", verified=True, **more):
    """Calls SignIn, with a new account by default; returns the outcome and its details."""
    account = account or f"account-{next(numbers)}"
    profile = {"provider": provider, "provider_account_id": account, "email": email, "email_verified": verified, **more}
    (outcome, details), = world.call("SignIn", {"profile": profile}).items()
    return outcome, details


def tokens_of(world, email, **more):
    outcome, details = sign_in(world, email, **more)
    assert outcome == "allowed", (outcome, details)
    return world.call("IssueToken", {"grant": details["grant"]}) | {"user": details["user"]}


def refresh(world, tokens, **update):
    """Replaces the tokens by the next ones, and returns them."""
    tokens |= world.call("RefreshToken", {"refresh_token": tokens["refresh_token"], "update": update})
    return tokens


def session(world, tokens):
    return world.call("GetSession", {"access_token": tokens["access_token"]})["session"]


def payload(tokens):
    return jwt.claims_of(tokens["access_token"])


def set_role(world, user, role):
    message = {"user": {"id": user["id"], "role": role}, "update_mask": "role"}
    assert world.call("UpdateUser", message)["user"]["role"] == role


def refusal(function, *arguments, **more):
    try:
        answer = function(*arguments, **more)
    except Refused as error:
        return error.code, error.reason
    raise AssertionError(f"not rejected: {answer}")


@step
def a_person_of_the_company_signs_in_and_gets_permissions(world):
    tokens = tokens_of(world, "ada@company.com", name="Ada")
    added = {"tenant": "acme", "permissions": ["orders:read"]}
    assert {name: payload(tokens).get(name) for name in [*added, "greeting"]} == {**added, "greeting": None}
    assert tokens["session"]["claims"] == session(world, tokens)["claims"] == {**added, "greeting": "Hello, Ada"}


@step
def others_are_denied_with_the_reason(world):
    for email, verified in [
        ("eve@elsewhere.example", True),
        ("eve@company.com", False),
        ("eve@company.com.elsewhere.example", True),
        ("eve@anothercompany.com", True),
        ("", False),
    ]:
        outcome, details = sign_in(world, email, verified=verified)
        assert outcome == "denied", (email, details)
        assert (details["reason"], details["detail"]) == ("DENIAL_REASON_CALLBACK_DENIED", DENIED), details
        assert details["redirect_to"] == f"{ORIGIN}/auth/error?error=AccessDenied", details


@step
def a_member_of_the_organisation_signs_in_with_any_address(world):
    member = {"organizations": ["other", "acme"]}
    assert sign_in(world, "mona@elsewhere.example", raw=member)[0] == "allowed"
    assert sign_in(world, "hubot@company.com", verified=False, raw=member)[0] == "allowed"
    for provider, organizations in [
        ("google", ["acme"]),
        ("github", "acme"),
        ("github", ["not acme", "acme2"]),
        ("github", [["acme"], {"acme": "acme"}, None, 7]),
        ("github", {"acme": "acme"}),
        ("github", None),
    ]:
        outcome, details = sign_in(world, "eve@elsewhere.example", provider=provider, raw={"organizations": organizations})
        assert (outcome, details.get("detail")) == ("denied", DENIED), (provider, organizations, details)


@step
def only_new_users_are_redirected_to_the_waiting_list(world):
    newcomer = sign_in(world, "wanda@waitlist.example")
    assert newcomer == ("redirect", {"url": f"{ORIGIN}/waiting-list"}), newcomer
    raw = {"organizations": ["acme"]}
    assert sign_in(world, "walt@waitlist.example", account="walt", raw=raw)[1]["is_new_user"]
    outcome, details = sign_in(world, "walt@waitlist.example", account="walt")
    assert outcome == "allowed" and not details.get("is_new_user"), details


@step
def a_linked_private_account_does_not_pass_for_the_company(world):
    tokens = tokens_of(world, "lin@company.com", account="lin")
    private = {"provider": "github", "provider_account_id": "lin-private", "email": "lin@private.example",
               "email_verified": True}
    member = {**private, "raw": {"organizations": ["acme"]}}
    linked = world.call("SignIn", {"profile": member, "link_access_token": tokens["access_token"]})["allowed"]
    assert linked["linked"] and linked["user"]["email"] == "lin@company.com", linked
    denied = world.call("SignIn", {"profile": private})["denied"]
    assert denied["detail"] == DENIED, denied


@step
def an_update_changes_the_language_to_a_supported_one(world):
    tokens = refresh(world, tokens_of(world, "lou@company.com", name="Lou"), language="de", theme="dark")
    claims = {"tenant": "acme", "permissions": ["orders:read"], "language": "de", "greeting": "Hallo, Lou"}
    assert payload(tokens)["language"] == "de" and session(world, tokens)["claims"] == claims, session(world, tokens)
    assert session(world, refresh(world, tokens))["claims"] == claims
    for junk in ["xx", "constructor", "", 7, True, ["fr"], {"fr": 1}, None]:
        refresh(world, refresh(world, tokens, language="fr"), language=junk)
        assert "language" not in payload(tokens), junk
        assert session(world, tokens)["claims"]["greeting"] == "Hello, Lou", junk


@step
def a_new_role_is_in_the_next_token(world):
    tokens = tokens_of(world, "rosa@company.com")
    set_role(world, tokens["user"], "admin")
    assert refusal(session, world, tokens) == ("UNAUTHENTICATED", "TOKEN_STALE")
    assert payload(refresh(world, tokens))["permissions"] == ["orders:read", "orders:write"]
    set_role(world, tokens["user"], "guest")
    assert payload(refresh(world, tokens))["permissions"] == []


@step
def a_suspended_user_gets_no_token(world):
    tokens = tokens_of(world, "sam@company.com", account="sam")
    set_role(world, tokens["user"], "suspended")
    denied = ("PERMISSION_DENIED", "CALLBACK_DENIED")
    assert refusal(refresh, world, tokens) == denied
    grant = sign_in(world, "sam@company.com", account="sam")[1]["grant"]
    assert refusal(world.call, "IssueToken", {"grant": grant}) == denied
    # The denial also ended the pending session.
    assert refusal(world.call, "IssueToken", {"grant": grant})[0] == "UNAUTHENTICATED"


@step
def a_session_greets_a_user_with_a_name(world):
    assert "greeting" not in session(world, tokens_of(world, "nameless@company.com"))["claims"]
    tokens = tokens_of(world, "zoe@company.com", name='Zoë "Z" <b>')
    assert session(world, tokens)["claims"]["greeting"] == 'Hello, Zoë "Z" <b>'


@step
def the_dashboard_is_the_default_page(world):
    for url, place in [
        ("", "/dashboard"),
        ("/", "/dashboard"),
        (ORIGIN, "/dashboard"),
        ("https://evil.example/", "/dashboard"),
        ("/orders?page=2", "/orders?page=2"),
        ("/dashboards", "/dashboards"),
    ]:
        assert world.call("ResolveRedirect", {"url": url})["url"] == ORIGIN + place, url


@step
def a_call_without_the_secret_is_rejected(world):
    assert world.ask_service(f"Bearer {TOKEN}") == f"{ORIGIN}/orders"
    for wrong in [None, "Bearer", "Bearer wrong", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}"]:
        assert refusal(world.ask_service, wrong) == ("UNAUTHENTICATED", ""), wrong
    code, said = world.start_service_without_secret()
    assert code > 0 and "CALLBACK_TOKEN" in said, (code, said)


@step
def probes_need_no_secret(world):
    assert world.health() == b"\x08\x01"  # status: SERVING


@step
def it_also_listens_on_an_ipv6_address(world):
    world.start_service_on_ipv6()
    assert world.stop("service-on-ipv6") == 0


@step
def an_outage_of_the_service_blocks_sign_ins_and_loses_nothing(world):
    tokens = tokens_of(world, "otto@company.com", name="Otto")
    grant = sign_in(world, "otis@company.com")[1]["grant"]
    assert world.stop("service") == 0
    unavailable = ("UNAVAILABLE", "CALLBACK_UNAVAILABLE")
    # More calls than the circuit breaker allows: the response is the same.
    for _ in range(8):
        assert refusal(sign_in, world, "new@company.com") == unavailable
        assert refusal(refresh, world, tokens) == unavailable
        assert refusal(world.call, "IssueToken", {"grant": grant}) == unavailable
        assert refusal(world.call, "ResolveRedirect", {"url": "/orders"}) == unavailable
        # on_failure: {session: allow}
        assert session(world, tokens)["claims"] == {"tenant": "acme", "permissions": ["orders:read"]}

    world.start_service()

    def again(function, *arguments):
        def answer():
            try:
                return function(*arguments)
            except Refused as error:
                assert (error.code, error.reason) == unavailable, error
                return None

        return until("Gatepass calls the service again", answer)

    assert again(world.call, "IssueToken", {"grant": grant})["session"]["claims"]["tenant"] == "acme"
    assert again(refresh, world, tokens)["rotation"] == "ROTATION_ROTATED"
    assert again(sign_in, world, "new@company.com")[0] == "allowed"
    assert again(world.call, "ResolveRedirect", {"url": "/"})["url"] == f"{ORIGIN}/dashboard"
    until("a session has a greeting", lambda: "greeting" in session(world, tokens)["claims"])


@step
def both_programs_end_with_code_zero(world):
    assert {name: world.stop(name) for name in list(world.processes)} == {"service": 0, "gatepass": 0}


def has_ipv6():
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


def steps_of(language):
    left_out = [] if language.has_health else [probes_need_no_secret]
    left_out += [] if has_ipv6() else [it_also_listens_on_an_ipv6_address]
    return [check for check in STEPS if check not in left_out]


def main():
    root, program, *names = sys.argv[1:]
    languages = [Language(root, name) for name in names or COMMANDS]
    passed = 0
    with tempfile.TemporaryDirectory() as folder:
        generate_stubs(root, folder)
        for language in languages:
            language.install()
            with World(root, program, language) as world:
                world.start_service()
                world.start_gatepass()
                passed += run_steps(steps_of(language), world, of=f"{language.name}: ")
    finish("examples/callbacks", passed, sum(len(steps_of(language)) for language in languages))


main()

"""Parallel sign-ins, and sign-ins during key changes and outages, and on several replicas."""

import signal

from providers.client import Browser, Refused, refused
from providers.crowd import at_once, traffic
from providers.natively import a_nonce, token_of_app
from providers.refusals import failed, redeemed
from support.jwt import header_of
from support.programs import until
from support.steps import step

UNAVAILABLE = ("UNAVAILABLE", "PROVIDER_UNAVAILABLE")
# The same after the flow was used: a retry cannot succeed.
ABORTED = ("ABORTED", "PROVIDER_UNAVAILABLE")


@step
def parallel_first_sign_ins_of_one_person_create_one_user(world):
    who, before = world.somebody(), world.counts()
    callbacks = at_once(24, lambda _: world.one.log_in("basic", who))
    answers = at_once(24, lambda number: world.one.sign_in(callbacks[number]))
    assert {outcome for outcome, _ in answers} == {"allowed"}, answers
    allowed = [details for _, details in answers]
    assert len({details["user"]["id"] for details in allowed}) == 1
    assert len({details["account"]["id"] for details in allowed}) == 1
    assert sum(details.get("is_new_user", False) for details in allowed) == 1
    users, accounts, sessions = before
    assert world.counts() == [users + 1, accounts + 1, sessions + 24]
    actions = sorted(action for details in allowed for action, *_ in world.logged(details["at"]))
    assert actions == ["SIGN_IN"] * 23 + ["SIGN_UP"], actions
    assert len({world.one.session(world.one.tokens(details))["id"] for details in allowed}) == 24


@step
def parallel_first_sign_ins_at_two_providers_create_one_user(world):
    """Both accounts link by the same verified e-mail."""
    who, before = world.somebody(), world.counts()
    callbacks = at_once(12, lambda number: world.one.log_in(["trusted", "trusted-too"][number % 2], who))
    answers = at_once(12, lambda number: world.one.sign_in(callbacks[number]))
    assert {outcome for outcome, _ in answers} == {"allowed"}, answers
    user, *others = {details["user"]["id"]: details["user"] for _, details in answers}.values()
    assert not others, answers
    assert sum(details.get("is_new_user", False) for _, details in answers) == 1
    assert world.providers_of(user) == ["trusted", "trusted-too"]
    users, accounts, sessions = before
    assert world.counts() == [users + 1, accounts + 2, sessions + 12]


def logs_in(world, client, provider):
    """A task that logs in a new person."""

    def log_in():
        tokens = client.tokens(client.enter(provider, world.somebody()))
        assert client.session(tokens)["provider"] == provider

    return log_in


def reads(client, tokens):
    def read():
        client.session(tokens)

    return read


@step
def no_login_fails_during_a_key_change(world):
    old = world.keys("alpha")
    nonce = a_nonce()
    late = token_of_app(world, world.somebody(), nonce)
    providers = ["basic", "post-es256", "key", "public-es256"]
    with traffic(*(logs_in(world, world.one, provider) for provider in providers)) as logins:
        logins.goes_on()
        world.tell("alpha", signal.SIGHUP)
        until("the new keys are published", lambda: len(world.keys("alpha")) == len(old) + 2)
        logins.goes_on(4)
        world.tell("alpha", signal.SIGUSR2)
        until("the old keys are gone", lambda: not set(world.keys("alpha")) & set(old))
        logins.goes_on(4)
    new = world.keys("alpha")
    for provider in providers:
        kid = header_of(world.one.enter(provider, world.somebody())["provider_tokens"]["id_token"])["kid"]
        assert kid in new, (provider, kid)
    # A Gatepass that never had the old key rejects its signature.
    fresh = world.start_gatepass("fresh")
    refusal = refused(fresh.sign_in_by_token, "public", late, nonce=nonce)
    assert (refusal.reason, refusal.fault) == ("CREDENTIAL_INVALID", "ID_TOKEN_KEY_UNKNOWN"), refusal
    assert failed(world, refusal) == ("ID_TOKEN_KEY_UNKNOWN", "public")
    assert world.stop("fresh") == 0


def is_unavailable(world, callback, provider, fault):
    """Checks that SignIn fails because of the provider, and for good."""
    refusal = refused(world.one.sign_in, callback)
    assert (refusal.code, refusal.reason) == ABORTED, refusal
    assert (refusal.fault, refusal.provider) == (fault, provider), refusal
    assert failed(world, refusal) == (fault, provider)
    assert refused(world.one.sign_in, callback).reason == "FLOW_USED"


@step
def a_key_change_while_the_keys_cannot_be_read_rejects_no_later_login(world):
    world.one.enter("basic", world.somebody())
    down = world.folder / "alpha.jwks-down"
    down.touch()
    world.tell("alpha", signal.SIGHUP)
    for _ in range(3):
        refusal = refused(world.one.sign_in, world.one.log_in("basic", world.somebody()))
        assert (refusal.code, refusal.reason) == ABORTED, refusal
        assert failed(world, refusal) == (refusal.fault, "basic")
    down.unlink()
    # Failed requests for keys use up no allowance.
    world.one.enter("basic", world.somebody())


@step
def a_person_of_400_groups_signs_in(world):
    allowed = world.one.enter("basic", f"many-{world.somebody()}")
    assert len(allowed["provider_tokens"]["id_token"]) > 16 << 10
    tokens = world.one.tokens(allowed)
    assert len(tokens["access_token"]) <= 4 << 10
    assert world.one.session(tokens)["user"]["name"]


@step
def a_callback_requested_twice_at_two_replicas_is_one_session(world):
    two = world.start_gatepass("twice")
    for _ in range(4):
        callback, before = world.one.log_in("basic", world.somebody()), world.counts()
        answers = at_once(6, lambda number: [world.one, two][number % 2].sign_in(callback, request_id=callback["state"]))
        assert {outcome for outcome, _ in answers} == {"allowed"}, answers
        allowed = [details for _, details in answers]
        assert len({details["grant"] for details in allowed}) == 1
        assert sum("provider_tokens" in details for details in allowed) == 1
        assert redeemed(world, callback) == 1
        assert world.counts() == [count + 1 for count in before]
        assert two.session(two.tokens(allowed[0]))["provider"] == "basic"
    assert world.stop("twice") == 0


def accounts_at_beta(world):
    return world.rows("SELECT count(*) FROM accounts WHERE provider IN ('other', 'impatient', 'trusted')")


@step
def a_killed_provider_does_not_affect_other_sign_ins(world):
    known = world.somebody()
    tokens = world.one.tokens(world.one.enter("other", known))
    callbacks = [world.one.log_in("other", world.somebody()) for _ in range(4)]
    others = [logs_in(world, world.one, "basic"), logs_in(world, world.one, "posted"), reads(world.one, tokens)]
    with traffic(*others) as living:
        living.goes_on()
        world.kill("beta")
        before = accounts_at_beta(world)
        for callback in callbacks:
            is_unavailable(world, callback, "other", "PROVIDER_UNREACHABLE")
        # A new replica has no metadata of the provider, so it cannot begin a sign-in.
        fresh = world.start_gatepass("fresh")
        refusal = refused(fresh.begin, "other")
        assert (refusal.code, refusal.reason) == UNAVAILABLE, refusal
        assert (refusal.fault, refusal.provider) == ("PROVIDER_UNREACHABLE", "other"), refusal
        assert world.one.begin("other")["flow"]
        assert accounts_at_beta(world) == before
        living.goes_on()

        # The provider restarts with new keys.
        world.start_idp("beta")

        def is_back(client, who):
            try:
                return client.enter("other", who)
            except Refused as refusal:
                assert refusal.reason in ["PROVIDER_UNAVAILABLE", "CREDENTIAL_INVALID"], refusal
                return None

        for client in [world.one, fresh]:
            assert until("people log in again", lambda: is_back(client, world.somebody()))["is_new_user"]
        again = world.one.enter("other", known)
        assert not again.get("is_new_user"), again
        living.goes_on()
    assert world.stop("fresh") == 0


@step
def a_hanging_provider_does_not_affect_other_sign_ins(world):
    world.one.enter("impatient", world.somebody())
    tokens = world.one.tokens(world.one.enter("other", world.somebody()))
    callbacks = [world.one.log_in("impatient", world.somebody()) for _ in range(8)]
    others = [logs_in(world, world.one, "basic"), logs_in(world, world.one, "public-es256"), reads(world.one, tokens)]
    with traffic(*others) as living:
        before = accounts_at_beta(world)
        with world.hanging("beta"):
            at_once(8, lambda number: is_unavailable(world, callbacks[number], "impatient", "PROVIDER_TIMED_OUT"))
            living.goes_on()
        assert accounts_at_beta(world) == before
        until("the provider answers", lambda: world.keys("beta"))
        living.goes_on()
    world.one.enter("other", world.somebody())


@step
def a_flow_signs_in_once_at_any_replica(world):
    # This replica logs text, which must contain no more than the JSON log.
    two = world.start_gatepass("two", GATEPASS_TELEMETRY__LOG_FORMAT="text")
    replicas = [world.one, two]
    for here, there in [replicas, replicas[::-1]]:
        callback = here.log_in("basic", world.somebody())
        outcome, allowed = there.sign_in(callback)
        assert outcome == "allowed", allowed
        assert here.session(there.tokens(allowed))["provider"] == "basic"
        for replica in replicas:
            assert refused(replica.sign_in, callback).reason == "FLOW_USED"

    for _ in range(8):
        callback, before = two.log_in("basic", world.somebody()), world.counts()

        def sign_in(number):
            try:
                return replicas[number % 2].sign_in(callback)[0]
            except Refused as refusal:
                return refusal.reason

        answers = at_once(8, sign_in)
        assert sorted(answers) == ["FLOW_USED"] * 7 + ["allowed"], answers
        assert redeemed(world, callback) == 1
        assert world.counts() == [count + 1 for count in before]
    assert refused(two.sign_in, two.log_in("forgetful", world.somebody())).reason == "PROVIDER_MISCONFIGURED"
    assert two.sign_in(two.callback_of(*cancelled(two)))[0] == "denied"
    refusal = refused(two.sign_in, two.log_in("basic", world.somebody()) | {"code": "made-up-by-somebody"})
    assert refusal.fault == "CODE_REJECTED", refusal
    assert world.stop("two") == 0


def cancelled(client):
    visitor = Browser()
    return visitor, visitor.cancel(client.begin_in(visitor, "basic"))

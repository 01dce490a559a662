"""The auth log after all other steps, and the secrets that must be in no log."""

from providers.world import ISSUERS, decoded
from support.programs import get
from support.steps import step

# All outcomes of sign-ins at providers: action, outcome, reason.
OUTCOMES = {
    ("SIGN_UP", "SUCCESS", None),
    ("SIGN_IN", "SUCCESS", None),
    ("ACCOUNT_LINKED", "SUCCESS", None),
    ("TOKEN_ISSUED", "SUCCESS", None),
    ("SIGN_OUT", "SUCCESS", None),
    ("SIGN_IN_DENIED", "DENIED", "ACCOUNT_NOT_LINKED"),
    ("SIGN_IN_DENIED", "DENIED", "ACCOUNT_OWNED_BY_OTHER"),
    ("SIGN_IN_DENIED", "DENIED", "EMAIL_NOT_VERIFIED"),
    ("SIGN_IN_DENIED", "DENIED", "PROVIDER_ERROR"),
    ("SIGN_IN_DENIED", "FAILED", "CODE_REJECTED"),
    ("SIGN_IN_DENIED", "FAILED", "FLOW_INVALID"),
    ("SIGN_IN_DENIED", "FAILED", "FLOW_USED"),
    ("SIGN_IN_DENIED", "FAILED", "ID_TOKEN_AUDIENCE_MISMATCH"),
    ("SIGN_IN_DENIED", "FAILED", "ID_TOKEN_KEY_UNKNOWN"),
    ("SIGN_IN_DENIED", "FAILED", "ID_TOKEN_MALFORMED"),
    ("SIGN_IN_DENIED", "FAILED", "ID_TOKEN_NONCE_MISMATCH"),
    ("SIGN_IN_DENIED", "FAILED", "ID_TOKEN_SIGNATURE_INVALID"),
    ("SIGN_IN_DENIED", "FAILED", "ID_TOKEN_USED"),
    ("SIGN_IN_DENIED", "FAILED", "ISSUER_MISMATCH"),
    ("SIGN_IN_DENIED", "FAILED", "PROVIDER_MISCONFIGURED"),
    ("SIGN_IN_DENIED", "FAILED", "PROVIDER_STATUS"),
    ("SIGN_IN_DENIED", "FAILED", "PROVIDER_TIMED_OUT"),
    ("SIGN_IN_DENIED", "FAILED", "PROVIDER_UNREACHABLE"),
    ("SIGN_IN_DENIED", "FAILED", "REAUTHENTICATION_REQUIRED"),
    ("SIGN_IN_DENIED", "FAILED", "STATE_MISMATCH"),
}


@step
def the_auth_log_has_every_outcome_and_no_other(world):
    rows = set(world.rows("SELECT DISTINCT action, outcome, reason FROM auth_logs"))
    assert rows == OUTCOMES, (rows - OUTCOMES, OUTCOMES - rows)
    # There is one row for each opened session and each linked account.
    (opened,), = world.rows("SELECT count(*) FROM auth_logs WHERE action IN ('SIGN_UP', 'SIGN_IN')")
    (linked,), = world.rows("SELECT count(*) FROM auth_logs WHERE action = 'ACCOUNT_LINKED'")
    users, accounts, sessions = world.counts()
    assert (opened, linked) == (sessions, accounts - users), (opened, linked, world.counts())


def all_seen(world):
    for name in ISSUERS:
        world.seen.see(world.record(name))
    return world.seen


@step
def no_log_contains_a_secret_or_an_email(world):
    seen = all_seen(world)
    assert len(seen.values) > 2000, len(seen.values)
    page = get(f"{world.one.admin}/metrics")
    assert world.stop("one") == 0
    for name in ["one", "two", "strict", "fresh"]:
        found = seen.found_in(world.log(name))
        assert not found, (name, len(found), found[:5])
    assert not seen.found_in(page)
    # Check that the logs are not empty.
    lines = decoded(world.log("one"))
    asked = {line["span"].get("endpoint") for line in lines if line.get("message") == "provider called"}
    assert asked == {"discovery", "jwks", "token", "userinfo"}, asked
    assert {line.get("reason") for line in lines} >= {"FLOW_USED", "STATE_MISMATCH", "PROVIDER_UNAVAILABLE"}
    assert "provider called" in world.log("two") and not decoded(world.log("two"))


@step
def the_database_contains_no_token_of_a_provider(world):
    given = type(world.seen)()
    for name in ISSUERS:
        for line in world.record(name):
            given.see(line["answer"])
            given.see(line["sent"])
    text = world.all_text()
    assert "person-1@company.com" in text
    assert len(given.values) > 200 and not given.found_in(text)

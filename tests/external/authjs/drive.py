"""Sign-ins at examples/authjs, checked in the browser, the auth log and the database (see authjs.sh)."""

import concurrent.futures
import json
import sys
import time
import urllib.request

from authjs.visitor import Browser
from authjs.world import COOKIE, World
from support.jwt import claims_of
from support.programs import until
from support.steps import STEPS, finish, run_steps, step

COMPANY = "company"


def signed_in(world, who):
    browser = Browser(world.origin)
    assert browser.sign_in(who) == world.origin + "/", who
    return browser


@step
def a_first_sign_in_creates_the_user_and_is_logged(world):
    browser = signed_in(world, "ada")
    user = world.user("ada@company.com")
    assert user["role"] == "user" and user["emailVerified"] and user["lastSignInAt"] == user["createdAt"], user
    assert world.logged("ada@company.com") == [
        ("SIGN_UP", "SUCCESS", None, COMPANY),
        ("TOKEN_ISSUED", "SUCCESS", None, COMPANY),
    ]
    (agent, address), = world.rows("SELECT user_agent, ip_address FROM auth_logs WHERE action = 'SIGN_UP'")
    assert agent.startswith("Python-urllib") and address == "127.0.0.1", (agent, address)
    session = browser.session()
    shown = {"id": user["id"], "name": "Test ada", "email": "ada@company.com", "role": "user"}
    assert session["user"] == shown and session["claims"] == {} and session["expires"].endswith("Z"), session
    home = browser.go("/").text
    assert "Hello, Test ada" in home and user["id"] in home, home


@step
def a_later_sign_in_is_the_same_user_and_sets_the_last_sign_in(world):
    before = world.user("ada@company.com")
    session = signed_in(world, "ada").session()
    after = world.user("ada@company.com")
    assert session["user"]["id"] == before["id"] == after["id"]
    assert after["lastSignInAt"] > before["lastSignInAt"], (before, after)
    assert ("SIGN_IN", "SUCCESS", None, COMPANY) in world.logged("ada@company.com")


@step
def the_token_carries_id_and_role(world):
    token = world.decode(signed_in(world, "ada").cookie(COOKIE))
    access = claims_of(token["accessToken"])
    user = world.user("ada@company.com")
    assert (token["sub"], token["role"]) == (user["id"], "user"), token
    assert (access["sub"], access["role"]) == (user["id"], "user"), access


@step
def only_a_verified_address_of_the_company_may_sign_in(world):
    for who, email in [("eve@elsewhere.example", None), ("unverified-eve", "unverified-eve@company.com")]:
        browser = Browser(world.origin)
        assert browser.sign_in(who) == world.origin + "/auth/error?error=AccessDenied", who
        assert browser.session() is None and browser.cookie(COOKIE) is None
        assert world.user(email or who) is None
        assert world.logged(email or who) == [("SIGN_IN_DENIED", "DENIED", "EMAIL_NOT_ALLOWED", COMPANY)]
        assert "Only people of company.com" in browser.go("/auth/error?error=AccessDenied").text


@step
def an_update_reads_the_role_again(world):
    browser = signed_in(world, "ada")
    world.change(world.user("ada@company.com"), "role", role="admin")
    assert browser.update({})["user"]["role"] == "admin"
    token = world.decode(browser.cookie(COOKIE))
    assert token["role"] == claims_of(token["accessToken"])["role"] == "admin", token
    assert browser.session()["user"]["role"] == "admin"


@step
def an_update_changes_what_the_configuration_lists(world):
    browser = signed_in(world, "ada")
    before = browser.session()["user"]
    change = {"theme": "dark", "role": "owner", "sub": "somebody", "user": {"role": "owner"}, "accessToken": "x"}
    updated = browser.update(change)
    assert updated["user"] == before and updated["claims"] == {"theme": "dark"}, updated
    assert browser.session()["claims"] == {"theme": "dark"}
    assert browser.update({"theme": None})["claims"] == {}


@step
def an_update_of_junk_ends_nothing(world):
    browser = signed_in(world, "ada")
    for junk in [None, [], "x", 1e300, {"theme": 1e300}, {"": 1}, {"__proto__": {"a": 1}}, {"a": [[[{}]]] * 9}]:
        browser.update(junk)
        assert browser.session()["user"]["email"] == "ada@company.com", junk


@step
def redirects_stay_on_the_site(world):
    for asked, wanted in [
        ("/inbox?unread=1", "/inbox?unread=1"),
        (world.origin + "/inbox", "/inbox"),
        ("https://evil.example/", ""),
        ("//evil.example/", ""),
        ("https://evil.example@127.0.0.1/", ""),
        (world.origin + "\\@evil.example/", ""),
        # Auth.js throws for an invalid URL, or passes it on.
        ("dashboard", ""),
        ("http://[::1", ""),
        ("https://%zz", ""),
        ("blob:" + world.origin + "/x", ""),
        ("javascript:alert(1)", ""),
        ("/x\r\nset-cookie: a=1", ""),
    ]:
        browser = Browser(world.origin)
        place = browser.begin(asked)
        assert place.startswith(f"http://127.0.0.1:{world.idp}/auth?"), (asked, place)
        assert browser.cookie("authjs.callback-url") == world.origin + wanted, asked
    browser = Browser(world.origin)
    assert browser.sign_in("ada", "https://evil.example/") == world.origin
    assert browser.session()["user"]["email"] == "ada@company.com"
    # Auth.js rejects an invalid URL in a query, and the next request succeeds.
    assert browser.go("/api/auth/session?callbackUrl=dashboard").status == 500
    assert browser.session()["user"]["email"] == "ada@company.com"


@step
def a_sign_out_ends_the_session_for_every_callback_url(world):
    for callback_url in ["/", "dashboard", "https://evil.example/"]:
        browser = signed_in(world, "ada")
        kept = {"cookie": f"{COOKIE}={browser.cookie(COOKIE)}"}
        assert Browser(world.origin).go("/api/auth/session", headers=kept).json()["user"]
        ended = browser.sign_out(callback_url).location
        assert ended == world.origin + ("/" if callback_url == "/" else ""), ended
        assert browser.cookie(COOKIE) is None and browser.session() is None
        # A copy of the cookie is no longer valid.
        assert Browser(world.origin).go("/api/auth/session", headers=kept).json() is None
        assert world.logged("ada@company.com")[-1] == ("SIGN_OUT", "SUCCESS", None, COMPANY)


@step
def a_ban_ends_live_sessions_immediately_and_redirects_to_its_page(world):
    here, there = signed_in(world, "bob"), signed_in(world, "bob")
    assert here.session() and there.session()
    world.change(world.user("bob@company.com"), "banned,ban_reason", banned=True, ban_reason="a test")
    assert "You are not signed in" in here.go("/").text and here.cookie(COOKIE) is None
    assert there.update({}) is None and there.cookie(COOKIE) is None
    again = Browser(world.origin)
    assert again.sign_in("bob") == world.origin + "/auth/banned?error=AccessDenied"
    assert again.session() is None and "You are banned" in again.go("/auth/banned").text
    assert world.logged("bob@company.com")[-1] == ("SIGN_IN_DENIED", "DENIED", "USER_BANNED", COMPANY)
    assert signed_in(world, "ada").session()


@step
def an_outage_neither_signs_people_in_nor_out(world):
    browser = signed_in(world, "ada")
    assert world.stop("gatepass") == 0
    assert browser.session() is None and browser.update({}) is None
    assert "You are not signed in" in browser.go("/").text
    assert browser.cookie(COOKIE)
    assert Browser(world.origin).sign_in("ada") == world.origin + "/auth/error?error=Configuration"
    # From now on, access tokens live for one second.
    world.start_gatepass(
        GATEPASS_TOKENS__ACCESS_TTL="1s",
        GATEPASS_TOKENS__CLOCK_LEEWAY="0s",
        GATEPASS_SESSION__REFRESH_RETRY_WINDOW="5m",
    )

    def is_back():
        assert browser.cookie(COOKIE), "the session is lost"
        return browser.session()

    until("the session is back", is_back)


@step
def parallel_reads_with_an_expired_token_all_succeed(world):
    browser = signed_in(world, "cleo")
    cookie = browser.cookie(COOKIE)
    expires_at = claims_of(world.decode(cookie)["accessToken"])["exp"]
    while time.time() <= expires_at:
        time.sleep(0.1)

    def read(_):
        request = urllib.request.Request(world.origin + "/api/auth/session", headers={"cookie": f"{COOKIE}={cookie}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            changed = answer.headers.get_all("set-cookie")
            return json.load(answer), next(line for line in changed if line.startswith(COOKIE))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(read, range(8)))
    assert all(session["user"]["email"] == "cleo@company.com" for session, _ in answers), answers
    tokens = [world.decode(line.split("=", 1)[1].split(";")[0]) for _, line in answers]
    assert len({token["refreshToken"] for token in tokens}) == 1
    actions = sorted(action for action, *_ in world.logged("cleo@company.com"))
    assert actions == ["SIGN_UP", "TOKEN_ISSUED", "TOKEN_REFRESHED"] + ["TOKEN_REPLAYED"] * 7, actions
    assert browser.session()["user"]["email"] == "cleo@company.com"


@step
def the_application_still_runs(world):
    assert world.runs("app")


def main():
    with World(*sys.argv[1:]) as world:
        world.start_gatepass()
        world.start_idp()
        world.start_app()
        passed = run_steps(STEPS, world)
    finish("examples/authjs", passed, len(STEPS))


main()

"""Sign-ins at examples/sign-in-with-github with Chromium, checked in the browser and in Gatepass (see
sign_in_with_github.sh)."""

import datetime
import pathlib
import re
import shutil
import sys
import time

from playwright.sync_api import sync_playwright

from sign_in_with_github.person import FLAGS, Person
from sign_in_with_github.world import World
from support.jwt import claims_of
from support.programs import until
from support.steps import STEPS, finish, run_steps, step


def signed_in(world, chromium, who, https=False):
    person = Person(world, chromium, https)
    assert person.sign_in(who) == 200
    assert person.is_signed_in(f"{who}@company.com"), person.page.url
    return person


def seconds_of(timestamp):
    return int(datetime.datetime.fromisoformat(re.sub(r"(\.\d+)?Z$", "+00:00", timestamp)).timestamp())


def get_session(world, access_token):
    """The session of an access token, or the reason of the error."""
    return world.call("AuthService/GetSession", {"access_token": access_token})


@step
def the_readme_shows_the_same_file_and_commands(world, chromium):
    readme = (world.root / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- file: app.py -->\n```python\n(.*?)```\n", readme, re.DOTALL)[1]
    example = world.root / "examples/sign-in-with-github"
    assert shown == (example / "app.py").read_text(encoding="utf-8")
    theirs = (example / "README.md").read_text(encoding="utf-8")
    readme = re.sub(r"^ +", "", readme, flags=re.MULTILINE)
    for commands in re.findall(r"```sh\n(.*?)```", theirs, re.DOTALL):
        assert re.sub(r"^ +", "", commands, flags=re.MULTILINE) in readme, commands


@step
def the_configuration_of_the_example_is_valid(world, chromium):
    done = world.check_configuration()
    assert done.returncode == 0 and "the configuration is valid" in done.stdout, done


@step
def from_the_button_to_the_signed_in_page(world, chromium):
    mona = Person(world, chromium)
    assert mona.home() == 200 and mona.sees_the_button() and mona.cookies() == []
    assert mona.sign_in("mona") == 200
    user = world.user("mona@company.com")
    text = mona.page.locator("main").inner_text()
    session = get_session(world, mona.cookie("access"))["session"]
    assert mona.is_signed_in("mona@company.com") and not mona.sees_the_button()
    assert "Test mona" in text and "mona@company.com ✓" in text and session["id"] in text, text
    assert mona.page.locator("#role").inner_text() == user["role"] == "user"
    assert session["provider"] == "github" and session["user"]["id"] == user["id"], session
    mona.page.screenshot(path=world.picture)
    assert world.picture.read_bytes().startswith(b"\x89PNG")


@step
def the_auth_log_has_the_address_and_the_user_agent(world, chromium):
    ada = signed_in(world, chromium, "ada")
    ada.browser.clear_cookies(name="access")
    assert ada.home() == 200 and ada.press("Sign out") == 200
    wanted = ["SIGN_UP", "TOKEN_ISSUED", "TOKEN_REFRESHED", "SIGN_OUT"]
    sql = "SELECT action, ip_address, user_agent FROM auth_logs WHERE email = ? ORDER BY rowid"
    rows = world.rows(sql, "ada@company.com")
    assert [action for action, *_ in rows] == wanted, rows
    assert all(address == "127.0.0.1" and "Chrome/" in agent for _, address, agent in rows), rows


def cookies_have_the_right_flags(world, chromium, https):
    ada = Person(world, chromium, https)
    earliest = int(time.time())
    flow = ada.to_the_provider()
    prefix = "__Host-" if https else ""
    assert re.fullmatch(prefix + r"gatepass_flow_[\w-]{16}", flow["name"]), flow["name"]
    assert ada.at_the_provider("ada") == 200
    kept = {cookie["name"]: cookie for cookie in ada.cookies()}
    # The flow's cookie is deleted; only these two are left.
    assert set(kept) == {prefix + "access", prefix + "refresh"}, set(kept)
    access, refresh = kept[prefix + "access"], kept[prefix + "refresh"]
    assert refresh["value"].startswith("gpr_")
    session = get_session(world, access["value"])["session"]
    # Browsers correct the expiry by the difference between their clock and the response's `Date`, in whole seconds.
    passed = int(time.time()) - earliest + 1
    for cookie, end in [
        (flow, earliest + 900),
        (access, claims_of(access["value"])["exp"]),
        (refresh, seconds_of(session["expiresAt"])),
    ]:
        assert 0 <= cookie["expires"] - end <= passed, (cookie["name"], cookie["expires"], end)
        flags = {name: cookie[name] for name in ("domain", "path", "httpOnly", "secure", "sameSite")}
        assert flags == {
            "domain": "localhost", "path": "/", "httpOnly": True, "secure": https, "sameSite": "Lax"}, (cookie["name"], flags)
    assert ada.page.evaluate("document.cookie") == ""


@step
def on_loopback_cookies_have_the_right_flags_and_expiry(world, chromium):
    cookies_have_the_right_flags(world, chromium, https=False)


@step
def over_https_cookies_are_secure_and_for_this_host(world, chromium):
    cookies_have_the_right_flags(world, chromium, https=True)


def a_sign_out_ends_the_session(world, chromium, https):
    ada = signed_in(world, chromium, "ada", https)
    access, refresh = ada.cookie("access"), ada.cookie("refresh")
    assert get_session(world, access)["session"]["user"]["email"] == "ada@company.com"
    assert ada.press("Sign out") == 200
    assert ada.page.url == ada.origin + "/" and ada.sees_the_button() and ada.cookies() == []
    assert get_session(world, access) == "SESSION_REVOKED"
    assert world.call("AuthService/RefreshToken", {"refresh_token": refresh}) == "SESSION_REVOKED"
    return access, refresh


@step
def a_sign_out_ends_the_session_and_shows_the_button(world, chromium):
    access, refresh = a_sign_out_ends_the_session(world, chromium, https=False)
    # Copies of the cookies are invalid, and the application deletes them.
    thief = Person(world, chromium)
    thief.keep(access=access, refresh=refresh)
    assert thief.home() == 200 and thief.sees_the_button() and thief.cookies() == []


@step
def a_sign_out_ends_the_session_over_https(world, chromium):
    a_sign_out_ends_the_session(world, chromium, https=True)


@step
def a_person_who_cancels_at_the_provider_sees_a_denial(world, chromium):
    eve = Person(world, chromium)
    eve.to_the_provider()
    with eve.page.expect_navigation() as led:
        eve.page.get_by_role("link", name="Cancel").click()
    assert led.value.status == 403 and eve.page.url.startswith(eve.origin + "/auth/callback/github?"), eve.page.url
    assert eve.why() == "GitHub did not sign you in. Did you cancel?" and eve.sees_the_button()
    assert eve.cookies() == []
    assert world.rows("SELECT outcome FROM auth_logs WHERE reason = 'PROVIDER_ERROR'") == [("DENIED",)]
    # A new attempt succeeds.
    assert eve.sign_in("eve") == 200 and eve.is_signed_in("eve@company.com")


@step
def a_callback_in_another_browser_is_rejected_and_does_no_harm(world, chromium):
    ada, other = Person(world, chromium), Person(world, chromium)
    url = ada.callback_url("ada")
    assert other.go_to(url) == 400 and other.cookies() == []
    assert "began in another browser" in other.why()
    # The same in a browser with its own sign-in in progress.
    other.to_the_provider()
    assert other.go_to(url) == 400
    assert [cookie["name"][:14] for cookie in other.cookies()] == ["gatepass_flow_"]
    assert ada.go_to(url) == 200 and ada.is_signed_in("ada@company.com")


@step
def a_callback_with_the_flow_of_another_sign_in_is_rejected(world, chromium):
    ada, eve = Person(world, chromium), Person(world, chromium)
    url = ada.callback_url("ada")
    theirs = eve.to_the_provider()
    flow, = ada.cookies()
    ada.keep(**{flow["name"]: theirs["value"]})
    assert ada.go_to(url) == 400 and ada.cookies() == []
    assert world.rows("SELECT reason FROM auth_logs ORDER BY rowid DESC LIMIT 1") == [("STATE_MISMATCH",)]


@step
def a_replayed_callback_is_rejected(world, chromium):
    ada = Person(world, chromium)
    url = ada.callback_url("ada")
    flow, = ada.cookies()
    assert ada.go_to(url) == 200 and ada.is_signed_in("ada@company.com")
    session = ada.page.locator("#session").inner_text()
    assert ada.go_to(url) == 400 and "is over" in ada.why()
    # The same with the flow's cookie restored.
    ada.keep(**{flow["name"]: flow["value"]})
    assert ada.go_to(url) == 400 and "is over" in ada.why()
    assert world.rows("SELECT reason FROM auth_logs ORDER BY rowid DESC LIMIT 1") == [("FLOW_USED",)]
    # The existing session continues.
    assert ada.home() == 200 and ada.page.locator("#session").inner_text() == session


@step
def two_parallel_tabs_both_sign_in(world, chromium):
    ada = Person(world, chromium)
    one, two = ada.page, ada.browser.new_page()
    flows = {ada.to_the_provider(one)["name"], ada.to_the_provider(two)["name"]}
    assert len(flows) == 2
    assert ada.at_the_provider("ada", two) == 200 and ada.is_signed_in("ada@company.com", two)
    assert ada.at_the_provider("ada", one) == 200 and ada.is_signed_in("ada@company.com", one)
    for page in (one, two):
        assert ada.home(page) == 200 and ada.is_signed_in("ada@company.com", page)
    assert {cookie["name"] for cookie in ada.cookies()} == {"access", "refresh"}
    # Both refresh with the same token, and both stay signed in.
    ada.browser.clear_cookies(name="access")
    with one.expect_navigation(), two.expect_navigation():
        for page in (one, two):
            page.evaluate("() => { setTimeout(() => location.reload()) }")
    for page in (one, two):
        assert ada.is_signed_in("ada@company.com", page)
        assert ada.home(page) == 200 and ada.is_signed_in("ada@company.com", page)


@step
def a_lost_access_token_is_replaced_by_a_refresh(world, chromium):
    ada = signed_in(world, chromium, "ada")
    session, refresh = ada.page.locator("#session").inner_text(), ada.cookie("refresh")
    ada.browser.clear_cookies(name="access")
    assert ada.home() == 200 and ada.is_signed_in("ada@company.com")
    assert ada.page.locator("#session").inner_text() == session
    assert ada.cookie("access") and ada.cookie("refresh") != refresh
    # The same for an invalid access token.
    ada.keep(access="x")
    assert ada.home() == 200 and ada.is_signed_in("ada@company.com") and ada.cookie("access") != "x"


@step
def invalid_tokens_show_the_button(world, chromium):
    eve = Person(world, chromium)
    eve.keep(access="x", refresh="gpr_x")
    assert eve.home() == 200 and eve.sees_the_button() and eve.cookies() == []
    assert eve.go_to(eve.origin + "/auth/callback/github") == 400
    assert eve.go_to(eve.origin + "/auth/callback/github?code=x&state=%0d%0aset-cookie:a=b") == 400
    assert eve.go_to(eve.origin + "/nowhere") == 404 and eve.cookies() == []


@step
def pages_of_other_origins_cannot_sign_in_or_out(world, chromium):
    ada = signed_in(world, chromium, "ada")
    kept = ada.cookies()
    # Another site, and another origin of the same site: requests from the latter carry the cookies.
    for origin in ["http://elsewhere.example", "http://localhost:1"]:
        for route in ["/auth/signin", "/auth/signout"]:
            ada.is_shown(origin + "/", f'<form method="post" action="{ada.origin}{route}"><button>A present</button></form>')
            assert ada.press("A present") == 403, (origin, route)
            assert ada.cookies() == kept, (origin, route)
    # A link cannot do it either.
    assert ada.go_to(ada.origin + "/auth/signout") == ada.go_to(ada.origin + "/auth/signin") == 405
    assert ada.home() == 200 and ada.is_signed_in("ada@company.com")


@step
def a_banned_person_is_signed_out_and_sees_a_denial(world, chromium):
    bob = signed_in(world, chromium, "bob")
    world.change(world.user("bob@company.com"), "banned", banned=True)
    assert bob.home() == 200 and bob.sees_the_button() and bob.cookies() == []
    # The session at the provider is still live.
    assert bob.press("Sign in with GitHub") == 403 and bob.why() == "Your account is suspended."
    assert bob.cookies() == []


@step
def a_new_role_appears_at_the_next_reload(world, chromium):
    ada = signed_in(world, chromium, "ada")
    world.change(world.user("ada@company.com"), "role", role="admin")
    assert ada.home() == 200 and ada.page.locator("#role").inner_text() == "admin"


@step
def an_unverified_address_has_no_mark(world, chromium):
    eve = Person(world, chromium)
    assert eve.sign_in("unverified-eve") == 200
    assert eve.page.locator("#email").inner_text() == "unverified-eve@company.com"


@step
def names_are_escaped(world, chromium):
    eve = signed_in(world, chromium, "eve")
    name = "<img src=x onerror=document.title=1>"
    world.change(world.user("eve@company.com"), "name", name=name)
    assert eve.home() == 200 and eve.page.locator("h1").inner_text() == name and eve.page.locator("img").count() == 0


@step
def an_outage_neither_signs_people_in_nor_out(world, chromium):
    ada, bea = signed_in(world, chromium, "ada"), Person(world, chromium)
    kept, url = ada.cookies(), bea.callback_url("bea")
    assert world.stop("gatepass") == 0
    assert ada.home() == 503 and "not possible at the moment" in ada.why() and ada.cookies() == kept
    assert bea.go_to(url) == 503
    # From now on, access tokens live for two seconds.
    world.start_gatepass(GATEPASS_TOKENS__ACCESS_TTL="2s", GATEPASS_TOKENS__CLOCK_LEEWAY="0s")
    until("the application finds Gatepass again", lambda: ada.home() != 503)
    assert ada.is_signed_in("ada@company.com")
    bea.home()
    assert bea.press("Sign in with GitHub") == 200 and bea.is_signed_in("bea@company.com")


@step
def an_expired_access_token_is_replaced_by_a_refresh(world, chromium):
    ada = signed_in(world, chromium, "ada")
    session, access = ada.page.locator("#session").inner_text(), None
    while access is None:  # the browser deletes an expired cookie itself
        ada.home()
        access = ada.cookie("access")
    until("the token expires", lambda: get_session(world, access) == "TOKEN_EXPIRED")
    ada.keep(access=access)
    refresh = ada.cookie("refresh")
    assert ada.home() == 200 and ada.is_signed_in("ada@company.com")
    assert ada.page.locator("#session").inner_text() == session
    assert ada.cookie("access") != access and ada.cookie("refresh") != refresh


@step
def an_outage_of_the_provider_blocks_sign_ins(world, chromium):
    ada = Person(world, chromium)
    url = ada.callback_url("ada")
    assert world.stop("idp") is not None
    assert ada.go_to(url) == 503 and ada.cookies() == []


@step
def no_log_contains_a_token_an_address_or_a_trace(world, chromium):
    assert len(world.secrets) > 50
    for name in ["app", "app-https", "gatepass"]:
        log = world.log(name)
        assert log and not [secret for secret in world.secrets if secret in log], name
        assert "@company.com" not in log and "Traceback" not in log, name
        assert name == "gatepass" or world.runs(name), name
    assert "SignIn: ABORTED PROVIDER_UNAVAILABLE" in world.log("app")


def main():
    root, program, picture = sys.argv[1:]
    with sync_playwright() as playwright, World(root, program) as world:
        world.picture = pathlib.Path(picture)
        world.start_idp()
        world.start_gatepass()
        world.start_apps()
        with playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS) as chromium:
            print("Chromium", chromium.version, flush=True)
            passed = run_steps(STEPS, world, chromium)
    finish("examples/sign-in-with-github", passed, len(STEPS))


main()

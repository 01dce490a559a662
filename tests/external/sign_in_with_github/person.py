"""A person with a separate profile of a headless Chromium."""

import re
import urllib.parse

# Chromium resolves only this machine.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


class Person:
    def __init__(self, world, chromium, https=False):
        self.world, self.origin = world, world.origins[https]
        self.browser = chromium.new_context(
            ignore_https_errors=True, viewport={"width": 800, "height": 600}, device_scale_factor=2)
        self.page = self.browser.new_page()

    def home(self, page=None):
        """Opens the application's page; returns its status."""
        return (page or self.page).goto(self.origin + "/").status

    def press(self, button, page=None):
        """Presses a button; returns the status of the next page."""
        page = page or self.page
        with page.expect_navigation() as led:
            page.get_by_role("button", name=button).click()
        return led.value.status

    def to_the_provider(self, page=None):
        """Goes from the button to the provider's page; returns the flow's cookie."""
        page = page or self.page
        before = {cookie["name"] for cookie in self.cookies()}
        self.home(page)
        self.press("Sign in with GitHub", page)
        assert page.url.startswith(self.world.provider), page.url
        flow, = (cookie for cookie in self.cookies() if cookie["name"] not in before)
        return flow

    def at_the_provider(self, who, page=None):
        """Fills in the provider's pages until it redirects back; returns the status of the last page."""
        page = page or self.page
        status = None
        while page.url.startswith(self.world.provider):
            if page.locator("[name=login]").count():
                page.locator("[name=login]").fill(who)
                page.locator("[name=password]").fill("any")
            with page.expect_navigation() as led:
                page.locator("[type=submit]").click()
            status = led.value.status
        return status

    def sign_in(self, who):
        self.to_the_provider()
        return self.at_the_provider(who)

    def callback_url(self, who):
        """Signs in at the provider; returns its redirect to the application without following it."""
        self.to_the_provider()
        self.page.locator("[name=login]").fill(who)
        self.page.locator("[name=password]").fill("any")
        with self.page.expect_navigation():
            self.page.locator("[type=submit]").click()
        url = self.page.locator("form").get_attribute("action")
        answer = self.browser.request.post(url, form={"prompt": "consent"}, max_redirects=0)
        while not (url := urllib.parse.urljoin(url, answer.headers["location"])).startswith(self.origin):
            answer = self.browser.request.get(url, max_redirects=0)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        self.world.secrets.update(query["code"] + query["state"])
        return url

    def go_to(self, url):
        return self.page.goto(url).status

    def is_shown(self, url, html):
        """Opens a page of another site."""
        self.page.route(url, lambda route: route.fulfill(body=html, content_type="text/html"))
        self.page.goto(url)
        self.page.unroute(url)

    def cookies(self):
        """The application's cookies in the browser."""
        found = [cookie for cookie in self.browser.cookies() if cookie["domain"] != "127.0.0.1"]
        self.world.secrets.update(cookie["value"] for cookie in found)
        return found

    def cookie(self, name):
        """The value of a cookie, with or without the prefix `__Host-`, or None."""
        prefix = "__Host-" if self.origin.startswith("https") else ""
        return next((cookie["value"] for cookie in self.cookies() if cookie["name"] == prefix + name), None)

    def keep(self, **cookies):
        """Sets session cookies in the browser."""
        self.browser.add_cookies([
            {"name": name, "value": value, "url": self.origin, "httpOnly": True, "sameSite": "Lax"}
            for name, value in cookies.items()])

    def is_signed_in(self, email, page=None):
        page = page or self.page
        shown = page.locator("#email")
        return page.url == self.origin + "/" and shown.count() == 1 and shown.inner_text().split(" ")[0] == email

    def sees_the_button(self, page=None):
        return (page or self.page).get_by_role("button", name="Sign in with GitHub").is_visible()

    def why(self):
        return re.sub(r"\s+", " ", self.page.locator("#why").inner_text())

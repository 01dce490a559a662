"""A person with a browser of their own: a profile of a Chromium without a window."""

import re
import urllib.parse

# Chromium finds nothing but this machine.
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
        """Opens the application's page; answers its status."""
        return (page or self.page).goto(self.origin + "/").status

    def press(self, button, page=None):
        """Presses a button; answers the status of the page that it leads to."""
        page = page or self.page
        with page.expect_navigation() as led:
            page.get_by_role("button", name=button).click()
        return led.value.status

    def to_the_provider(self, page=None):
        """From the button to the provider's page; the flow's cookie."""
        page = page or self.page
        before = {cookie["name"] for cookie in self.cookies()}
        self.home(page)
        self.press("Sign in with GitHub", page)
        assert page.url.startswith(self.world.provider), page.url
        flow, = (cookie for cookie in self.cookies() if cookie["name"] not in before)
        return flow

    def at_the_provider(self, who, page=None):
        """Answers what the provider asks until it sends the browser back; the status of the page that this ends at."""
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
        """Where the provider sends this browser back to, which does not go there yet."""
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
        """Opens a page of somebody else."""
        self.page.route(url, lambda route: route.fulfill(body=html, content_type="text/html"))
        self.page.goto(url)
        self.page.unroute(url)

    def cookies(self):
        """The application's cookies, as the browser keeps them."""
        found = [cookie for cookie in self.browser.cookies() if cookie["domain"] != "127.0.0.1"]
        self.world.secrets.update(cookie["value"] for cookie in found)
        return found

    def cookie(self, name):
        """The value of a cookie, whether or not it has the prefix of https; None without one."""
        prefix = "__Host-" if self.origin.startswith("https") else ""
        return next((cookie["value"] for cookie in self.cookies() if cookie["name"] == prefix + name), None)

    def keep(self, **cookies):
        """Puts cookies into the browser, for as long as it runs."""
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

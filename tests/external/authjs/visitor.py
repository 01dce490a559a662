"""A browser that knows the pages of the application."""

import urllib.parse

from idp import browser


class Browser(browser.Browser):
    def __init__(self, origin):
        super().__init__()
        self.origin = origin

    def go(self, url, *arguments, **more):
        """Sends one request; a path belongs to the application."""
        return super().go(urllib.parse.urljoin(self.origin, url), *arguments, **more)

    def cookie(self, name):
        """The decoded cookie of that name, or None."""
        values = [cookie.value for cookie in self.jar if cookie.name == name]
        return urllib.parse.unquote(values[0]) if values else None

    def csrf(self):
        return self.go("/api/auth/csrf").json()["csrfToken"]

    def begin(self, callback_url):
        """Begins a sign-in; returns the URL that Auth.js redirects to."""
        form = {"csrfToken": self.csrf(), "callbackUrl": callback_url}
        return self.go("/api/auth/signin/company", form).location

    def sign_in(self, who, callback_url="/"):
        """Signs in at the provider; returns the final URL."""
        place = self.begin(callback_url)
        if place.startswith(self.origin):
            return place
        back = self.log_in(place, who)
        assert (back.method, urllib.parse.urlsplit(back.url).path) == ("GET", "/api/auth/callback/company"), back
        return self.go(back.url).location

    def session(self):
        """The session that Auth.js returns."""
        return self.go("/api/auth/session").json()

    def update(self, change):
        """`update(change)` of Auth.js."""
        return self.go("/api/auth/session", body={"csrfToken": self.csrf(), "data": change}).json()

    def sign_out(self, callback_url="/"):
        return self.go("/api/auth/signout", {"csrfToken": self.csrf(), "callbackUrl": callback_url})

"""A visitor of the application: a browser that knows its pages."""

import urllib.parse

from idp import browser


class Browser(browser.Browser):
    def __init__(self, origin):
        super().__init__()
        self.origin = origin

    def go(self, url, *arguments, **more):
        """One request; a path is one of the application."""
        return super().go(urllib.parse.urljoin(self.origin, url), *arguments, **more)

    def cookie(self, name):
        """The application's cookie of that name, decoded; None without one."""
        values = [cookie.value for cookie in self.jar if cookie.name == name]
        return urllib.parse.unquote(values[0]) if values else None

    def csrf(self):
        return self.go("/api/auth/csrf").json()["csrfToken"]

    def begin(self, callback_url):
        """Begins to sign in; answers where Auth.js sends the browser."""
        form = {"csrfToken": self.csrf(), "callbackUrl": callback_url}
        return self.go("/api/auth/signin/company", form).location

    def sign_in(self, who, callback_url="/"):
        """Signs in at the provider and comes back; answers where the person ends up."""
        place = self.begin(callback_url)
        if place.startswith(self.origin):
            return place
        back = self.log_in(place, who)
        assert (back.method, urllib.parse.urlsplit(back.url).path) == ("GET", "/api/auth/callback/company"), back
        return self.go(back.url).location

    def session(self):
        """What Auth.js answers of the session."""
        return self.go("/api/auth/session").json()

    def update(self, change):
        """`update(change)` of Auth.js."""
        return self.go("/api/auth/session", body={"csrfToken": self.csrf(), "data": change}).json()

    def sign_out(self, callback_url="/"):
        return self.go("/api/auth/signout", {"csrfToken": self.csrf(), "callbackUrl": callback_url})

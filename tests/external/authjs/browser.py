"""A browser without a screen: keeps cookies, follows nothing by itself, fills in the provider's forms."""

import html
import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Answer:
    def __init__(self, url, response):
        self.status = response.status
        self.location = response.headers["location"] and urllib.parse.urljoin(url, response.headers["location"])
        self.text = response.read().decode()
        self.headers = response.headers

    def json(self):
        return json.loads(self.text)


class Browser:
    def __init__(self, origin):
        self.origin = origin
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar), _Stay())

    def go(self, url, form=None, body=None, headers={}):
        """One request; a path is one of the application."""
        url = urllib.parse.urljoin(self.origin, url)
        data = None
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
        elif body is not None:
            data, headers = json.dumps(body).encode(), {**headers, "content-type": "application/json"}
        request = urllib.request.Request(url, data=data, headers=headers)
        try:
            return Answer(url, self.opener.open(request, timeout=30))
        except urllib.error.HTTPError as error:
            return Answer(url, error)

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
        url, form = self.begin(callback_url), None
        for _ in range(20):
            answer = self.go(url, form)
            form = None
            if answer.location:
                if url.startswith(self.origin + "/api/auth/callback/"):
                    return answer.location
                url = answer.location
                continue
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            if not (prompt and action):
                raise AssertionError(f"no form at {url}: {answer.status} {answer.text[:500]}")
            url = urllib.parse.urljoin(url, html.unescape(action[1]))
            form = {"prompt": prompt[1], **({"login": who, "password": "any"} if prompt[1] == "login" else {})}
        raise AssertionError("the provider has no end")

    def session(self):
        """What Auth.js answers of the session."""
        return self.go("/api/auth/session").json()

    def update(self, change):
        """`update(change)` of Auth.js."""
        return self.go("/api/auth/session", body={"csrfToken": self.csrf(), "data": change}).json()

    def sign_out(self, callback_url="/"):
        return self.go("/api/auth/signout", {"csrfToken": self.csrf(), "callbackUrl": callback_url})

"""A headless browser: keeps cookies, does not follow redirects, and fills in the forms of idp.mjs."""

import collections
import html
import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request

# The provider's redirect to the application: its method, its address, and its query or form.
Return = collections.namedtuple("Return", ["method", "url", "params"])


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Answer:
    def __init__(self, url, response):
        self.url = url
        self.status = response.status
        self.location = response.headers["location"] and urllib.parse.urljoin(url, response.headers["location"])
        self.text = response.read().decode()
        self.headers = response.headers

    def json(self):
        return json.loads(self.text)

    def form(self):
        """The address of the page's form, and its hidden fields."""
        action = re.search(r'<form[^>]* action="([^"]+)"', self.text)
        if not action:
            raise AssertionError(f"no form at {self.url}: {self.status} {self.text[:500]}")
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.text)
        return self.absolute(action[1]), {name: html.unescape(value) for name, value in fields}

    def absolute(self, link):
        return urllib.parse.urljoin(self.url, html.unescape(link))


def origin_of(url):
    return urllib.parse.urlsplit(url)[:2]


class Browser:
    def __init__(self):
        self.jar = http.cookiejar.CookieJar()
        no_proxy = urllib.request.ProxyHandler({})
        cookies = urllib.request.HTTPCookieProcessor(self.jar)
        self.opener = urllib.request.build_opener(no_proxy, cookies, _Stay())

    def go(self, url, form=None, body=None, headers={}):
        """Sends one request."""
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

    def log_in(self, authorization_url, who):
        """Logs in at the provider and consents; returns the redirect to the application."""
        return self._pages(authorization_url, lambda prompt: {"login": who, "password": "any"} if prompt == "login" else {})

    def cancel(self, authorization_url):
        """Cancels the login on the provider's page; returns the redirect to the application."""
        return self._pages(authorization_url, None)

    def _pages(self, url, fill):
        provider, form = origin_of(url), None
        for _ in range(20):
            answer = self.go(url, form)
            form = None
            if answer.location:
                url = answer.location
                if origin_of(url) != provider:
                    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True))
                    return Return("GET", url, query)
                continue
            url, fields = answer.form()
            if origin_of(url) != provider:
                return Return("POST", url, fields)
            if fill:
                form = fields | fill(fields["prompt"])
            else:
                url = answer.absolute(re.search(r'href="([^"]+/abort)"', answer.text)[1])
        raise AssertionError("too many redirects at the provider")

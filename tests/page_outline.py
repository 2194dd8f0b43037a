"""Pages of ours as text: their elements, and what holds for every one of them."""

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Elements of a page, checked for balance."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def check_complete(text):
    """A page needs nothing else: every reference is to itself, nothing is fetched or made from text, the policy allows nothing."""
    outline = Outline(text)
    for tag, attributes in outline.elements:
        for key in ("src", "href", "action", "data", "srcset"):
            target = attributes.get(key, "#")
            assert target.startswith(("#", "data:")), (tag, target)
    assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttpRequest|import\(|eval\(|new Function", text)
    (policy,) = (a["content"] for a in outline.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert len(text.encode()) < 500_000


def check_landmarks(text):
    """Landmarks, unique names, and every label and link leads to something."""
    outline = Outline(text)
    for landmark in ("header", "main", "footer", "h1", "title"):
        assert len(outline.of(landmark)) >= 1, landmark
    names = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(set(names)) == len(names)
    for _, attributes in outline.elements:
        for key in ("aria-labelledby", "aria-describedby", "for"):
            for label in attributes.get(key, "").split():
                assert label in names, label
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in names

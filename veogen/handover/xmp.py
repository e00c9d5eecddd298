"""XMP sidecars: rating, label and words beside each clip, for programs that keep pictures.

The names are those of Adobe's XMP Specification Part 2 (xmp, dc and the Dynamic Media schema).
"""

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from veogen.handover.media import Media

PICKED, REJECTED = 5, -1
"""`xmp:Rating`: from 1 to 5 stars, -1 is rejected."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_HEAD = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/\""""
_TAIL = """\
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def sidecar_name(name: str) -> str:
    """`NAME.xmp` beside `NAME.mp4`."""
    return f"{name.removesuffix('.mp4')}.xmp"


def xmp_text(media: Media) -> str:
    """What a person decided and what was asked for; only a verdict has a rating."""
    attributes = "".join(
        f"\n    {name}={quoteattr(xml_safe(value))}" for name, value in _attributes(media)
    )
    texts = "".join(
        f'   <{name}>\n    <rdf:Alt>\n     <rdf:li xml:lang="x-default">{escape(xml_safe(value))}'
        f"</rdf:li>\n    </rdf:Alt>\n   </{name}>\n"
        for name, value in (("dc:title", media.address), ("dc:description", media.prompt))
        if value
    )
    return f"{_HEAD}{attributes}>\n{texts}{_TAIL}"


def _attributes(media: Media) -> Iterator[tuple[str, str]]:
    if media.is_picked:
        yield "xmp:Rating", str(PICKED)
    elif media.state == "rejected":
        yield "xmp:Rating", str(REJECTED)
    yield "xmp:Label", media.state
    yield "dc:identifier", media.clip
    yield "xmpDM:shotName", media.shot
    yield "xmpDM:takeNumber", str(media.take)
    if media.notes:
        yield "xmpDM:logComment", "; ".join(media.notes)


def xml_safe(text: str) -> str:
    """Text that XML can hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)

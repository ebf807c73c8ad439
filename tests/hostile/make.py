"""What the tables build their inputs with. Nothing here is random."""
import gzip
import struct
import unicodedata
import zlib

BOM8, BOM16LE, BOM16BE = b'\xef\xbb\xbf', b'\xff\xfe', b'\xfe\xff'
MB = 1 << 20


def u(text):
    """A text as UTF-8."""
    return text.encode()


def le(text):
    return text.encode('utf-16-le')


def be(text):
    return text.encode('utf-16-be')


def nfd(text):
    return unicodedata.normalize('NFD', text)


# ---- CSV: "Code;Name" and "sku" alone --------------------------------------

def rows(*lines, head='Code;Name'):
    return u('\n'.join((head,) + lines) + '\n')


def value(text, head='Code;V'):
    """A row A1 with one value."""
    return u(head + '\nA1;' + text + '\n')


SLOW = b'Code;Name\n' + (b'A1;' + u('Ř') * 50000 + b'\n') * 150

# ---- XML --------------------------------------------------------------------

def items(*names):
    return ''.join('<item><code>%s</code></item>' % n for n in names)


def xml(body='<item><code>A1</code></item>', prolog='', attributes=''):
    return u('%s<root%s>%s</root>' % (prolog, attributes, body))


def declared(charset, text='<root><item><code>A1</code></item></root>',
             codec='utf-8', more=''):
    return ('<?xml version="1.0" encoding="%s"%s?>%s' %
            (charset, more, text)).encode(codec)


def laughs(levels=10):
    one = '<!ENTITY l0 "lol">' + ''.join(
        '<!ENTITY l%d "%s">' % (i, '&l%d;' % (i - 1) * 10)
        for i in range(1, levels))
    return xml('&l%d;' % (levels - 1), '<!DOCTYPE root [%s]>' % one)


def dtd(inside, body='<item><code>A1</code></item>'):
    return xml(body, '<!DOCTYPE root [%s]>' % inside)


# ---- ZIP, put together byte by byte ----------------------------------------

STORED, DEFLATED = 0, 8
LINK, FOLDER, FIFO, CHAR = 0o120777, 0o40755, 0o10644, 0o20644
CSV = b'Code;Name\nA1;Tea\n'
CSV2 = b'Code;Name\nB2;Cup\n'


class Entry:
    """One entry; what is given by name lies."""

    def __init__(self, name, data=CSV, method=STORED, **lies):
        self.name = name if isinstance(name, bytes) else u(name)
        self.data, self.method, self.lies = data, method, lies
        self.packed = data
        if method == DEFLATED:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            self.packed = packer.compress(data) + packer.flush()
        self.packed = lies.get('packed', self.packed)
        self.offset = None

    def common(self, name, where):
        lies = self.lies

        def lie(what, truth):
            return lies.get(where + what, lies.get(what, truth))

        return struct.pack(
            '<HHHHHIIIHH', 20, lie('flags', 0x800 * (not name.isascii())),
            lie('method_said', self.method), 0, 0x21,
            lie('crc', zlib.crc32(self.data)),
            lie('packed_size', len(self.packed)), lie('size', len(self.data)),
            lie('name_size', len(name)), len(lie('extra', b'')))

    def local(self):
        name = self.lies.get('local_name', self.name)
        return (b'PK\3\4' + self.common(name, 'local_') + name +
                self.lies.get('local_extra', self.lies.get('extra', b'')) +
                self.packed)

    def central(self):
        mode = self.lies.get('mode', 0)
        return (b'PK\1\2' + struct.pack('<H', 3 << 8 | 20) +
                self.common(self.name, 'dir_') +
                struct.pack('<HHHII', len(self.lies.get('comment', b'')),
                            self.lies.get('disk', 0), 0, mode << 16,
                            self.lies.get('offset', self.offset)) +
                self.name +
                self.lies.get('dir_extra', self.lies.get('extra', b'')) +
                self.lies.get('comment', b''))


def zipped(*entries, before=b'', after=b'', gap=b'', comment=b'', cut=0,
           **lies):
    """A ZIP; `before` moves nothing else, `gap` stands before the directory."""
    out = before
    for e in entries:
        if isinstance(e, bytes):
            out += e
            continue
        e.offset = len(out) - lies.get('moved', 0)
        out += e.local()
    out += gap
    start = len(out)
    listed = lies.get('listed', [e for e in entries if isinstance(e, Entry)])
    directory = b''.join(e.central() for e in listed)
    n = lies.get('count', len(listed))
    out += directory + lies.get('locator', b'')
    out += b'PK\5\6' + struct.pack(
        '<HHHHIIH', lies.get('disk', 0), 0, lies.get('disk_count', n), n,
        lies.get('dir_size', len(directory)),
        lies.get('dir_start', start - lies.get('moved', 0)),
        lies.get('comment_size', len(comment))) + comment + after
    return out[:len(out) - cut]


def folders(names, data=CSV):
    return zipped(*(Entry(n, data) for n in names))


def quoted_overlap(n=50, size=20000):
    """Fifield's: each entry's data is the next one's header, and all data."""
    kernel = Entry('%04d.csv' % n, b'Code;Name\n' + b'A' * size, DEFLATED)
    entries, tail = [kernel], kernel.local()
    for i in reversed(range(n)):
        inner = tail[:30 + 8] if len(tail) > 38 else tail
        quote = b'\0' + struct.pack('<HH', len(inner), len(inner) ^ 0xffff)
        before = entries[0]
        e = Entry('%04d.csv' % i, inner + before.data, DEFLATED,
                  packed=quote + inner + before.packed)
        e.quote = quote
        tail = e.local()[:38] + quote + tail
        entries.insert(0, e)
    at = 0
    for e in entries:
        e.offset = at
        at += 38 + len(getattr(e, 'quote', b''))
    start = len(tail)
    directory = b''.join(e.central() for e in entries)
    return tail + directory + b'PK\5\6' + struct.pack(
        '<HHHHIIH', 0, 0, n + 1, n + 1, len(directory), start, 0)


def zeros(size, name='a.csv'):
    return Entry(name, b'\0' * size, DEFLATED)


def zip64(entry=None):
    e = entry or Entry('a.csv')
    locator = b'PK\6\7' + struct.pack('<IQI', 0, 0, 1)
    return zipped(e, locator=locator)


# ---- other kinds of files ---------------------------------------------------

PDF = b'%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n'
PNG = (b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0'
       b'\x1f\x15\xc4\x89')
EXE = b'MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8\0\0\0'
ELF = b'\x7fELF\2\1\1\0' + b'\0' * 8
OLE = b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + b'\0' * 504
RTF = b'{\\rtf1\\ansi Code;Name\\par}'
JPEG = b'\xff\xd8\xff\xe0\0\x10JFIF\0'
SEVENZIP = b"7z\xbc\xaf'\x1c\0\4"
RAR = b'Rar!\x1a\7\1\0'
BZ2 = b'BZh91AY&SY'
XZ = b'\xfd7zXZ\0'
EDIFACT = (b"UNA:+.? 'UNB+UNOC:3+1234567890128:14+9876543210982:14+260101:1200+"
           b"1'UNH+1+ORDERS:D:96A:UN'")
JSON = b'{"items": [{"code": "A1", "name": "Tea"}]}\n'
HTML = (b'<!DOCTYPE html>\n<html><head><title>Login</title></head>'
        b'<body>Please log in</body></html>\n')
PHP = b'<br />\n<b>Fatal error</b>:  Allowed memory size in <b>x.php</b>\n'


def gz(data=CSV):
    return gzip.compress(data, mtime=0)


def xlsx():
    return zipped(Entry('[Content_Types].xml', b'<Types/>'),
                  Entry('xl/workbook.xml', b'<workbook/>'))

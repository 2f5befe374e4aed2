"""The verifier a second time: form, chain, tree and the roots of in-band checkpoints, with hashlib alone.

Usage: verify.py [FILE]   (or the log on stdin); exit 0 when everything holds, 1 with the first reason.
Signatures are not checked. Lines are split at LF only. SHA-256 and SHA3-256 logs.
"""
import base64, functools, hashlib, json, re, sys

SUFFIX = re.compile(rb'(.*)"seq":(0|[1-9][0-9]{0,15}),"previous_hash":"([0-9a-f]{64})","entry_hash":"([0-9a-f]{64})"}', re.S)
SIGNATURE = re.compile(rb',"signature":"ed25519:([A-Za-z0-9+/]{86}==)"}')


def expect(holds, what, seq):
    if not holds:
        raise ValueError(f"{what} at seq={seq}")


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def unpack(value):
    packed = base64.b64decode(value["frontier"], validate=True)
    return [packed[i : i + 32] for i in range(0, len(packed), 32)]


class Tree:
    """The perfect subtrees of a growing RFC 6962 tree, largest first, and the root at every size so far."""

    def __init__(self, size, stack):
        expect(len(stack) == bin(size).count("1"), "frontier of another size", size)
        self.size, self.stack = size, stack
        self.roots = {size: self.root()}

    def push(self, leaf):
        rest = self.size
        while rest & 1:
            leaf, rest = node(self.stack.pop(), leaf), rest >> 1
        self.stack.append(leaf)
        self.size += 1
        self.roots[self.size] = self.root()

    def root(self):
        if not self.stack:
            return hashlib.sha256(b"").digest()
        return functools.reduce(lambda right, left: node(left, right), reversed(self.stack))


def split(line, seq):
    """(payload, stub?, seq, previous_hash, entry_hash, preimage) of one line, its signature taken off."""
    if SIGNATURE.fullmatch(line[-112:]):
        signature = SIGNATURE.fullmatch(line[-112:])[1]
        expect(base64.b64encode(base64.b64decode(signature)) == signature, "signature not canonical", seq)
        line = line[:-112] + b"}"
    m = SUFFIX.fullmatch(line)
    expect(m and m[1][:1] == b"{" and (m[1] == b"{" or (len(m[1]) > 2 and m[1][-1:] == b",")), "suffix_malformed", seq)
    expect(int(m[2]) < 2**53, "suffix_malformed", seq)
    return m[1][:-1] + b"}", m[1] == b"{", int(m[2]), m[3], m[4], line[:-81]


def record(payload, tree, seq):
    """Checks the reserved records that say something about the tree."""
    value = json.loads(payload)
    kind = value.get("event_type")
    if kind in ("log.checkpoint", "log.key_transition"):
        text = value["checkpoint"] if kind == "log.checkpoint" else value["note"].partition("\n")[2]
        size, root = text.split("\n")[1:3]
        expect(int(size) <= seq, "record_malformed", seq)
        expect(base64.b64decode(root) == tree.roots.get(int(size), base64.b64decode(root)), "root_mismatch", seq)
    if kind == "log.segment":
        expect(Tree(seq, unpack(value)).root() == tree.roots[seq], "root_mismatch", seq)


def verify(log):
    lines = log.split(b"\n")
    expect(lines.pop() == b"", "no LF at the end", "the end")
    tree, previous, digest = Tree(0, []), b"0" * 64, None
    for i, line in enumerate(lines):
        payload, stub, seq, before, entry, preimage = split(line, tree.size)
        if i == 0 and seq > 0 and b'"event_type":"log.segment"' in payload:
            tree, previous = Tree(seq, unpack(json.loads(payload))), before
        expect(seq == tree.size, "seq_gap", tree.size)
        expect(before == previous, "previous_hash_mismatch", seq)
        kinds = [digest] if digest else [hashlib.sha256, hashlib.sha3_256]
        digest = next((h for h in kinds if h(preimage).hexdigest().encode() == entry), digest if stub else None)
        expect(stub or digest, "entry_hash_mismatch", seq)
        previous = entry
        tree.push(hashlib.sha256(b"\x00" + bytes.fromhex(entry.decode())).digest())
        if not stub and b'"event_type":"log.' in payload:
            record(payload, tree, seq)
    return tree


if __name__ == "__main__":
    try:
        done = verify((open(sys.argv[1], "rb") if len(sys.argv) > 1 else sys.stdin.buffer).read())
        expect(done.size, "no entry", 0)
        print(f"holds: {done.size} entries, root {base64.b64encode(done.root()).decode()}")
    except (ValueError, KeyError, TypeError) as reason:
        sys.exit(f"broken: {reason}")

# SPDX-License-Identifier: MIT
"""What 10,000 hosts of 1,000 namespaces would take, from what was measured on one: README's table.

No fleet was run: each figure is a measured cost times a number. CPU and disks are those of the machine
that measured; nothing is loaded beyond HEADROOM of what it did.
"""
HOSTS, SPACES = 10_000, 1_000
HEADROOM = 0.5
RATES = 0.01, 1, 10, 100  # records/s of each namespace
LINGER_S = 0.2
NFLOGD_MIB = 16.4  # resident, 1000 namespaces (./dev bench scale)


def number(value):
    for unit, size in ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def row(rate, forward, costs):
    basic = forward["basic"]
    per_host = rate * SPACES
    records = per_host * HOSTS
    many, few = HOSTS * SPACES * min(rate, 1 / LINGER_S), HOSTS * min(per_host, 1 / LINGER_S)
    data = records * basic["bytes"]

    def shards(messages):
        return max(1, messages / (HEADROOM * forward["messages_s"]),
                   data / (HEADROOM * basic["mbytes"] * 1e6))

    # Few records for each namespace are small kernel batches: the cost of 1000 namespaces.
    nflogd = per_host * costs["namespaces"]["1000"] / 1e6
    return (f"| {rate:g} | {number(records)} | {nflogd:.2g} + {per_host * basic['forward'] / 1e6:.2g} cores | "
            f"{number(data)}B | {number(many)}: {number(round(shards(many) + 0.5))} | "
            f"{number(few)}: {number(round(shards(few) + 0.5))} | {number(data * 86400)}B |")


def rows(results):
    forward, basic = results["forward"], results["forward"]["basic"]
    full, idle = forward["full"], forward["connection"]
    yield (f"Measured here (`./dev bench forward`, {basic['messages']:.0f} messages of 128-byte packets, on disk): "
           f"`nflogctl forward` stores {basic['rate'] / 1e3:.0f} k records/s, libnats alone the same bytes at "
           f"{basic['plain rate'] / 1e3:.0f} k ({basic['rate'] / basic['plain rate']:.2f}); {basic['bytes']:.0f} bytes "
           f"a record (FULL: {full['bytes']:.0f}, {full['rate'] / 1e3:.0f} k/s). CPU a record: forward "
           f"{basic['forward']:.2f} us, nats-server {basic['nats']:.2f}. One nats-server on the same two cores takes "
           f"{basic['mbytes']:.0f} MB/s in large messages, {forward['messages_s'] / 1e3:.0f} k messages/s of 300 bytes, "
           f"and {idle:.0f} KiB for a connection.")
    yield ""
    yield (f"From that, for {HOSTS:,} hosts of {SPACES:,} namespaces each ({HOSTS * SPACES / 1e6:.0f} million sources; "
           f"computed, not run), brokers loaded to {HEADROOM:.0%}:")
    yield ""
    yield ("| records/s a namespace | records/s in all | a host: nflogd + forward | bytes/s | messages/s: brokers, a "
           "subject for each namespace | the same, a subject for each host | a day on disk |")
    yield "|---|---|---|---|---|---|---|"
    for rate in RATES:
        yield row(rate, forward, results["costs"])
    yield ""
    yield (f"Connections: one a host, {HOSTS:,}, {HOSTS * idle / 1024:.0f} MiB of a broker's memory; nflogd takes "
           f"{NFLOGD_MIB} MiB for 1,000 namespaces. **What breaks first is the number of messages**: a subject for each "
           "namespace makes one for each that talks, five times a second. `--subject 'nflog.{host}'` makes five a "
           "host (`--from` filters by namespace all the same), and `--linger 1` a fifth of that. Next comes the "
           "broker's disk: JetStream's streams are sharded by subject, so give each some hosts "
           "(`--to nats://broker/FIREWALL7`) and read them by one `--from` each. Filters at `forward` "
           "cut all of it: `--prefix '*drop*'`. At 100 records/s in each of 1,000 namespaces the host itself "
           "spends half a core: copy less, or log with nft's `limit rate`.")

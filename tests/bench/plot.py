# SPDX-License-Identifier: MIT
"""Figures to results.json, from there to SVG by gnuplot and to the table of README.md."""
import json
import os
import subprocess

import sizing

HERE = os.path.dirname(os.path.abspath(__file__))
STORED = os.path.join(HERE, "results.json")
PLOTS = os.path.join(HERE, "plots")
README = os.path.join(HERE, "..", "..", "README.md")
BEGIN, END = "<!-- figures: ./dev bench --plot -->\n", "<!-- end of figures -->\n"
STYLE = """
set terminal svg size 720,360 font "sans,12" background "white"
set grid ytics lc rgb "#dddddd"
set key top right
set style fill solid 0.9 noborder
"""
RATES = (("100000", "100 k"), ("300000", "300 k"), ("0", "maximum"))


def gnuplot(name, script):
    path = os.path.join(PLOTS, name + ".svg")
    subprocess.run(["gnuplot"], input=f"{STYLE}set output '{path}'\n{script}".encode(), check=True)


def table(name, rows):
    """A here-document of gnuplot."""
    lines = "\n".join(" ".join(f'"{cell}"' if isinstance(cell, str) else f"{cell:.4f}"
                               for cell in row) for row in rows)
    return f"${name} << END\n{lines}\nEND\n"


def draw_compare(compare):
    readers = ("nflogd", "tcpdump -w", "ulogd2 JSON")
    rows = [[label] + [compare[rate][reader] for reader in readers] for rate, label in RATES]
    bars = ", ".join(f"$d using {i + 2}{':xtic(1)' if i == 0 else ''} title '{reader}'"
                     for i, reader in enumerate(readers))
    gnuplot("readers", table("d", rows) + "set style data histogram\nset logscale y\n"
            "set yrange [0.1:20]\nset xlabel 'records a second'\n"
            "set ylabel 'CPU us a record (log)'\nplot " + bars + "\n")


def draw_costs(costs):
    for what, label in (("namespaces", "namespaces, 100 k records/s together"),
                        ("subscribers", "subscribers, 10 k records/s"),
                        ("filters", "filters of one subscriber, 100 k records/s"),
                        ("transport", "transport, 300 k records/s")):
        rows = list(costs[what].items())
        gnuplot(what, table("d", rows) + "set style data histogram\nset yrange [0:*]\nunset key\n"
                f"set xlabel '{label}'\nset ylabel 'CPU us of nflogd a record'\n"
                "plot $d using 2:xtic(1)\n")


def draw_latency(latency):
    rows = [[name.replace(" ", "\\n"), values[0], values[1]] for name, values in latency.items()]
    gnuplot("latency", table("d", rows) + "set style data histogram\nset logscale y\n"
            "set yrange [0.01:1000]\nset ylabel 'ms (log)'\nset xlabel 'profile, packets/s'\n"
            "plot $d using 2:xtic(1) title 'p50', $d using 3 title 'p99'\n")


def us(value):
    return f"{value:.2f} us"


def per_cent(value):
    return "0" if value < 0.0005 else f"{100 * value:.1f} %"


def compare_rows(compare):
    yield ("| records/s | nflogd | FULL view | client, counting | client, `-o json` | tcpdump `-w` | "
           "ulogd2 JSON | nflogd / tcpdump | lost: nflogd / tcpdump / ulogd2 |")
    yield "|" + "---|" * 9
    for rate, label in RATES:
        row = compare[rate]
        lost = row["lost"]
        yield (f"| {label} ({row['rate'] / 1000:.0f} k) | "
               + " | ".join(us(row[name]) for name in ("nflogd", "nflogd FULL", "client",
                                                       "client -o json", "tcpdump -w",
                                                       "ulogd2 JSON"))
               + f" | {row['nflogd'] / row['tcpdump -w']:.2f} | "
               + " / ".join(map(per_cent, (lost[0], lost[2], lost[3]))) + " |")


def latency_rows(latency):
    yield "| profile, packets/s | p50 | p99 | CPU of nflogd a packet |"
    yield "|---|---|---|---|"
    for name, (p50, p99, _, cpu) in latency.items():
        yield f"| {name} | {p50:.2f} ms | {p99:.2f} ms | {cpu:.1f} us |"


def cost_rows(costs):
    yield "| what | CPU of nflogd a record of the source |"
    yield "|---|---|"
    for what, figures in costs.items():
        yield f"| {what} | " + ", ".join(f"{value}: {us(cost)}" for value, cost in figures.items()) + " |"


def write_readme(results):
    parts = [compare_rows(results["compare"]), ["![readers](tests/bench/plots/readers.svg)"],
             latency_rows(results["latency"]), ["![latency](tests/bench/plots/latency.svg)"],
             cost_rows(results["costs"]),
             [" ".join(f"![{what}](tests/bench/plots/{what}.svg)" for what in results["costs"])],
             ["The history keeps {0:.0f} bytes for a record of {1:.0f} on the wire: {2:.2f} times."
              .format(*results["memory"], results["memory"][0] / results["memory"][1])]]
    if "files" in results:
        ours, lost, cpu, dump, dump_lost, dump_cpu = results["files"]
        parts.append([f"At the maximum `nflogctl -w FILE` writes {ours / 1000:.0f} k records/s "
                      f"({per_cent(lost)} lost and reported, {us(cpu)}), `tcpdump -w` "
                      f"{dump / 1000:.0f} k ({per_cent(dump_lost)} lost, {us(dump_cpu)})."])
    text = "\n\n".join("\n".join(part) for part in parts)
    replace_in_readme(BEGIN, END, text + "\n")
    if "forward" in results:
        replace_in_readme("<!-- sizing -->", "<!-- /sizing -->", "\n".join(sizing.rows(results)))


def replace_in_readme(begin, end, text):
    with open(README) as f:
        readme = f.read()
    before, rest = readme.split(begin)
    with open(README, "w") as f:
        f.write(before + begin + "\n" + text.replace(" us", " µs") + "\n" + end + rest.split(end)[1])


def draw(fresh):
    stored = {}
    if os.path.exists(STORED):
        with open(STORED) as f:
            stored = json.load(f)
    stored.update(fresh)
    with open(STORED, "w") as f:
        json.dump(stored, f, indent=1)
        f.write("\n")
    os.makedirs(PLOTS, exist_ok=True)
    draw_compare(stored["compare"])
    draw_costs(stored["costs"])
    draw_latency(stored["latency"])
    write_readme(stored)

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a CSV file of made-up sales for sales.yaml; the same size gives the same file."""
import argparse

REGIONS = ["north", "east", "south", "west", "islands"]
PRODUCTS = ["pencil", "notebook", "lamp", "desk", "chair", "shelf", "clock"]


def rows():
    """Endless rows; a small generator of our own, so that every Python writes the same."""
    state = 20240229
    number = 0
    while True:
        number += 1
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        bits = state >> 20
        region = REGIONS[bits % 5]
        product = PRODUCTS[bits // 5 % 7]
        day = bits // 35 % 365
        date = f"2024-{day // 31 + 1:02}-{day % 28 + 1:02}"
        yield f"{number},{date},{region},{product},{bits // 12775 % 20 + 1},{bits // 255500 % 99900 + 100}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--bytes", type=int, default=100_000_000, help="size to reach (100 MB)")
    arguments = parser.parse_args()

    with open(arguments.file, "w", encoding="ascii", newline="") as file:
        size = file.write("id,date,region,product,quantity,cents\n")
        for row in rows():
            if size >= arguments.bytes:
                break
            size += file.write(row)


if __name__ == "__main__":
    main()

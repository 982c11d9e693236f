"""A Bloom filter: rows whose key another table surely lacks go before a join moves them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_WORDS = 2**20
_WORD_BITS = 64


def may_match(rows: DataFrame, keys: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Drops most rows without a partner; what is left still has to be joined.

    The filter has one hash and 2^26 bits, which are broadcast as at most a million rows of 16
    bytes however many keys there are. Of rows without a partner 1 - exp(-keys / 2^26) are left (B.
    H. Bloom, 1970): one in seventeen with four million keys, half with 46 million.

    Args:
        rows: any.
        keys: a row for each key, of the same columns and types.
        columns: of the key.

    Returns:
        Rows of `rows`: all that have a partner in `keys`, and some others.
    """
    key_hash = F.xxhash64(*columns)
    word = key_hash.bitwiseAND(_WORDS - 1)
    bit = F.pmod(F.shiftright(key_hash, 20), F.lit(_WORD_BITS)).cast("int")
    only_bit = F.call_function("shiftleft", F.lit(1).cast("bigint"), bit)
    words = keys.groupBy(word.alias("_word")).agg(F.bit_or(only_bit).alias("_bits"))
    is_set = F.bit_get("_bits", bit) == 1
    return rows.join(F.broadcast(words), (word == F.col("_word")) & is_set, "left_semi")

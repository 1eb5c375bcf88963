"""Measured tasks of a selection, of known numbers."""

import dataclasses

UNIT = 0.1  # score = unbiased / relevance / UNIT


def measured(unbiased, relevance, weight, **more):
    score = unbiased / relevance / UNIT
    return {
        "weight": weight,
        "ci": score,
        "interval": [score / 2, score * 2],
        "z": 12.34,
        "p": 0.0001,
        "relevance": relevance,
        "relevance_p": 0.0002,
        "relevance_interval": [0.8 * relevance, 1.1 * relevance],
        "unbiased_interval": [0.5 * unbiased, 1.5 * unbiased],
        "unbiased": unbiased,
        "reference": 0.321,
        "centered": 0.0765,
        "normalised": 0.234,
        "mean_similarity": 0.456,
        "within_class_spread": 0.567,
        "frequency": 0.875,
        "rank": [1.0, 3.0],
        "leave_one_out": 0.123,
        "flags": [],
        **more,
    }


def without(selection, *fields):
    """The selection, its tasks without some fields."""
    tasks = {
        name: {key: task[key] for key in task if key not in fields}
        for name, task in selection.tasks.items()
    }
    return dataclasses.replace(selection, tasks=tasks)

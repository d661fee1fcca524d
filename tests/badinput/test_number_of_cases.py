"""The matrix of bad input stays as large as it is meant to be."""

from __future__ import annotations

import test_answer_errors
import test_circuit_errors
import test_dynamic_errors
import test_file_errors
import test_observable_errors
import test_setting_errors

TABLES = {
    module.__name__: module.CASES
    for module in (
        test_answer_errors,
        test_circuit_errors,
        test_dynamic_errors,
        test_file_errors,
        test_observable_errors,
        test_setting_errors,
    )
}


def test_number_of_cases(record_property):
    count = sum(map(len, TABLES.values()))
    record_property("bad input cases", count)
    assert count >= 600


def test_every_documented_class_occurs():
    """A class that no case raises would be one nobody has seen."""
    from qsim import errors

    raised = {case.error for table in TABLES.values() for case in table}
    documented = {getattr(errors, name) for name in errors.__all__} - {errors.QsimError}
    assert documented <= raised

"""Error against the step: the slopes of the V, its bottom, the floor of the complex step, the flat line of both modes."""

import sys
from decimal import Decimal, localcontext

import numpy as np
import pytest

from dualad import compare
from dualad.compare.accuracy import EPS, FUNCTIONS, METHODS, decimal_sin_cos
from dualad.compare.command import main
from dualad.compare.methods import DisagreementError

NAMES = list(FUNCTIONS)


@pytest.fixture(scope="module", params=NAMES)
def result(request):
    return compare.accuracy(request.param)


def slope(result, method, first, last):
    """Of log(error) against log(step), by least squares, over steps 10^-first .. 10^-last."""
    rows = [row for row in result.rows if first <= row.exponent <= last]
    return np.polyfit([-row.exponent for row in rows], [np.log10(row.errors[method]) for row in rows], 1)[0]


def test_truncation_has_the_order_of_the_quotient(result):
    """h, h^2 and h^2: where rounding does not show yet."""
    assert slope(result, "differences", 2, 6) == pytest.approx(1, abs=0.05)
    assert slope(result, "central", 2, 4) == pytest.approx(2, abs=0.05)
    assert slope(result, "complex", 2, 6) == pytest.approx(2, abs=0.05)


def test_rounding_grows_as_the_step_shrinks(result):
    assert slope(result, "differences", 10, 14) == pytest.approx(-1, abs=0.5)
    assert slope(result, "central", 9, 14) == pytest.approx(-1, abs=0.5)


def test_errors_stay_below_the_prediction(result):
    """Half an ulp for each value of f is a bound where f is rounded correctly; sin, exp and pow may be an ulp off."""
    for row in result.rows:
        if 2 <= row.exponent <= 15:
            for method in ("differences", "central"):
                assert row.errors[method] <= 4 * result.predicted(method, row.step)


def test_the_bottom_lies_where_predicted(result):
    for method in ("differences", "central"):
        found, best = result.best(method)
        assert 0.03 <= found / result.predicted_step(method) <= 30
        assert best <= 4 * result.predicted(method, result.predicted_step(method))


def test_the_predicted_step_is_the_least_of_the_prediction(result):
    for method in ("differences", "central"):
        h = result.predicted_step(method)
        least = result.predicted(method, h)
        assert least <= min(result.predicted(method, factor * h) for factor in (0.5, 0.9, 1.1, 2.0))


def test_no_digit_is_left_below_the_spacing_of_the_floats(result):
    for row in result.rows:
        if row.exponent >= 17:
            assert row.errors["differences"] == row.errors["central"] == 1.0


def test_the_complex_step_ends_at_rounding_and_stays(result):
    errors = [row.errors["complex"] for row in result.rows if row.exponent >= 9]
    assert result.rows[-1].exponent == 300
    assert max(errors) <= 4 * EPS


def test_both_modes_are_flat_at_rounding(result):
    """Two ulps, whatever the step."""
    for mode in ("forward", "reverse"):
        assert len({row.errors[mode] for row in result.rows}) == 1
        assert result.rows[0].errors[mode] <= 2 * EPS


def test_decimal_references_agree_with_mpmath():
    """The derivative by hand, to 40 digits, against mpmath's numerical one of the formula."""
    mpmath = pytest.importorskip("mpmath")
    formulas = {
        "power": lambda x: x ** mpmath.mpf("4.5"),
        "trapp": lambda x: mpmath.exp(x) / (mpmath.sin(x) ** 3 + mpmath.cos(x) ** 3),
        "lecture": lambda x: mpmath.cos(mpmath.sin(x * x) + 3 * x * x),
        "exp": mpmath.exp,
    }
    assert set(formulas) == set(FUNCTIONS)
    with localcontext() as context, mpmath.workdps(100):
        context.prec = 60
        for name, f in formulas.items():
            for x in (FUNCTIONS[name].x, 0.75, 3.0):
                by_hand = mpmath.mpf(str(FUNCTIONS[name].exact(Decimal(x))))
                assert abs(by_hand - mpmath.diff(f, mpmath.mpf(x))) <= abs(by_hand) * mpmath.mpf(10) ** -40


def test_decimal_sine_far_out():
    """Terms of size exp(|x|) cancel: precision is added for them."""
    with localcontext() as context:
        context.prec = 60
        for x in ("0", "1e-30", "-2.5", "100", "1201"):
            s, c = decimal_sin_cos(Decimal(x))
            assert abs(s * s + c * c - 1) < Decimal("1e-57")
            assert float(s) == pytest.approx(np.sin(float(x)), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"function": "sin"}, "no function 'sin'"),
    ({"at": []}, "increase"),
    ({"at": [3, 2]}, "increase"),
    ({"at": [1.5]}, "increase"),
    ({"at": [1, 301]}, "from 1 to 300"),
    ({"at": [0]}, "from 1 to 300"),
    ({"x": float("nan")}, "between"),
    ({"x": 1e9}, "between"),
    ({"function": "power", "x": -1.0}, "no derivative"),
    ({"function": "power", "x": 0.0}, "say nothing"),
])  # fmt: skip
def test_bad_input(arguments, words):
    with pytest.raises(ValueError, match=words):
        compare.accuracy(**arguments)


def test_a_wrong_derivative_is_refused(monkeypatch):
    module = sys.modules["dualad.compare.accuracy"]
    monkeypatch.setattr(module, "grad", lambda f: lambda x: 1.0000001 * module.derivative(f)(x))
    with pytest.raises(DisagreementError, match="reverse mode and the derivative by hand"):
        compare.accuracy("exp")


def test_saved_drawn_and_told(result, tmp_path):
    result.to_json(tmp_path / "r.json")
    assert compare.load(tmp_path / "r.json") == result
    assert not result.timed
    near, every = result.figures()
    equal = result.rows[0].errors["forward"] == result.rows[0].errors["reverse"]
    assert {curve.role for curve in every.curves} == set(METHODS) - ({"reverse"} if equal else set())
    assert near.curves[0].role == "theory"
    assert all(y is None or y > 0 for figure in (near, every) for curve in figure.curves for y in curve.y)
    assert f"{result.best('differences')[1]:.1g}" in near.caption
    assert "no step" in result.reading()[-1]


def test_settings_run_it_again(result):
    assert compare.accuracy(**result.settings) == result


def test_command_line(capsys):
    assert main(["accuracy", "--function", "power", "--at", "1:20:+1", "--x", "2.5"]) == 0
    assert "x = 2.5" in capsys.readouterr().out
    assert main(["accuracy", "--x", "far"]) == 2
    assert main(["accuracy", "--at", "400"]) == 2

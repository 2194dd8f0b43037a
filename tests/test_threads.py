"""Threads: every transformation from many threads at once, and what crosses from one thread to another."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import dualad as da
from dualad._core import open_count

THREADS = 12
ROUNDS = 15


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        total = total + (x[i + 1] - x[i] ** 2) ** 2 * np.exp(x[i])
    return total


def work(seed):
    """One of everything at a point of its own."""
    x = np.random.default_rng(seed).normal(size=6)
    v = np.cos(x)
    s = float(x[0])
    _, pullback = da.vjp(np.tanh, x)
    return (da.grad(rosenbrock)(x), da.grad(loop)(x), da.jvp(loop, (x,), (v,))[1], da.hessian(rosenbrock)(x), da.jacfwd(np.sin)(x),
            da.jacrev(lambda x: np.outer(x, x))(x), da.hvp(loop, (x,), (v,)), da.linearize(rosenbrock, x)[1](v), pullback(v)[0],
            da.derivative(da.derivative(lambda t: t**3 * np.sin(t)))(s), da.grad(da.derivative(lambda t: t * np.exp(t)))(s),
            da.grad(lambda x: np.linalg.slogdet(np.outer(x, x) + 9 * np.eye(6))[1])(x),
            da.grad(lambda x: np.sum(x**2))(x.astype(np.float32)))


def test_many_threads_give_the_answers_of_one():
    wanted = [work(seed) for seed in range(THREADS)]
    start = threading.Barrier(THREADS)

    def run(seed):
        start.wait(30)
        return [work(seed) for _ in range(ROUNDS)]

    with ThreadPoolExecutor(THREADS) as pool:
        rounds = list(pool.map(run, range(THREADS)))
    for want, got in zip(wanted, rounds, strict=True):
        for one in got:
            for a, b in zip(one, want, strict=True):
                np.testing.assert_array_equal(a, b)
    assert open_count() == 0


def test_levels_opened_and_closed_out_of_order():
    """Two threads stand inside their functions at once, and leave in the order they came: levels are no stack."""
    inside, leave = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]
    results = [None, None]

    def run(i):
        def f(x):
            y = x**3
            inside[i].set()
            assert leave[i].wait(30)
            return y * x + da.derivative(lambda z: z * z * x)(float(i))

        results[i] = (da.grad, da.derivative)[i](f)(2.0)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
    for i, t in enumerate(threads):
        t.start()
        assert inside[i].wait(30)
    for i, t in enumerate(threads):
        leave[i].set()
        t.join(30)
    assert results == [32.0, 34.0]
    assert open_count() == 0


def test_a_level_of_one_thread_is_not_open_in_another():
    counts = []

    def f(x):
        t = threading.Thread(target=lambda: counts.append((open_count(), da.grad(lambda y: y**3)(2.0))))
        t.start()
        t.join(30)
        counts.append(open_count())
        return x * x

    assert da.grad(f)(3.0) == 6.0
    assert counts[1] == 1
    assert counts[0][1] == 12.0


@pytest.mark.parametrize("d", [da.grad, da.derivative])
def test_a_traced_value_worked_on_by_another_thread(d):
    """f may hand its work to threads, as long as it waits for them."""
    def f(x):
        with ThreadPoolExecutor(4) as pool:
            parts = list(pool.map(lambda k: np.sin(k * x), [1.0, 2.0, 3.0, 4.0]))
        return sum(parts)

    assert d(f)(0.5) == pytest.approx(sum(k * np.cos(0.5 * k) for k in (1, 2, 3, 4)), rel=1e-14)
    inner = lambda x: ThreadPoolExecutor(1).submit(lambda: da.derivative(lambda y: x * y * y)(3.0)).result()  # 6 x
    assert d(inner)(2.0) == 6.0


@pytest.mark.parametrize("transform", [da.grad, da.derivative])
def test_a_value_leaked_to_another_thread_raises(transform):
    kept, errors = [], []
    transform(lambda x: kept.append(x) or x * x)(2.0)

    def use():
        try:
            kept[0] + 1.0
        except da.LeakedValueError as error:
            errors.append(error)

    t = threading.Thread(target=use)
    t.start()
    t.join(30)
    assert len(errors) == 1


def test_an_exception_in_one_thread_leaves_the_others_alone():
    def run(seed):
        if seed % 2:
            return work(seed)[0]
        with pytest.raises(ZeroDivisionError):
            da.hessian(lambda x: np.sum(x) / (1 // 0))(np.ones(3))
        return None

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, range(40)))
    for seed in range(1, 40, 2):
        np.testing.assert_array_equal(results[seed], work(seed)[0])
    assert open_count() == 0


def test_one_pullback_called_by_many_threads():
    out, pullback = da.vjp(lambda x: np.sin(x) * x, np.linspace(0.0, 1.0, 50))
    want = pullback(np.ones(50))[0]
    with ThreadPoolExecutor(8) as pool:
        for k, (got,) in enumerate(pool.map(lambda k: pullback(np.full(out.shape, float(k))), range(64))):
            np.testing.assert_allclose(got, k * want, rtol=1e-15)


def test_a_pullback_released_by_another_thread():
    pullbacks = [da.vjp(lambda x: x * x, 2.0)[1] for _ in range(20)]

    def release():
        while pullbacks:
            assert pullbacks.pop()(1.0) == (4.0,)

    t = threading.Thread(target=release)
    t.start()
    t.join(30)
    assert not pullbacks
    assert da.grad(lambda x: x * x)(3.0) == 6.0

"""`qsim.torch` against finite differences, loops and the functions of qsim itself; needs PyTorch."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import qsim
from qsim.errors import ArgumentError, GradientError, ParameterError

torch = pytest.importorskip("torch")

import qsim.torch as qt  # noqa: E402
from qsim.torch.compiled import values_of  # noqa: E402

x, w = qsim.ParameterVector("x", 2), qsim.ParameterVector("w", 3)
a = qsim.Parameter("a")
CIRCUIT = (
    qsim.Circuit(3)
    .ry(x[0], 0)
    .ry(x[1], 1)
    .cx(0, 1)
    .ry(w[0], 0)
    .ry(w[1] * x[0], 1)
    .rz(w[2], 1)
    .rx(a, 2)
    .cx(2, 0)
)
#: of a process that imports this file, and the package these tests run on
ENVIRONMENT = {
    **os.environ,
    "PYTHONSAFEPATH": "",
    "PYTHONPATH": os.pathsep.join([str(Path(qsim.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
}
OBSERVABLES = (["Z0"], ["Z0", "X1", "Z0 Z1"])


def tensors(batch=4, dtype=torch.float64, grad=True):
    rng = np.random.default_rng(0)
    shapes = {"x": (batch, 2), "w": (3,), "a": ()}
    return {
        k: torch.tensor(rng.uniform(-2, 2, s), dtype=dtype, requires_grad=grad) for k, s in shapes.items()
    }


def function(observables):
    return lambda x, w, a: qt.expectation(CIRCUIT, observables, {"x": x, "w": w, "a": a})


@pytest.mark.parametrize("observables", OBSERVABLES, ids=len)
def test_values_and_gradients(observables):
    named = tensors()
    values = qt.expectation(CIRCUIT, observables, named)
    arrays = {k: v.detach().numpy() for k, v in named.items()}
    wanted, slopes = qsim.value_and_gradient(CIRCUIT, observables, arrays)
    np.testing.assert_allclose(values.detach(), wanted, atol=1e-14)
    values.sum().backward()
    np.testing.assert_allclose(named["x"].grad, slopes["x"].sum(1), atol=1e-13)
    np.testing.assert_allclose(named["w"].grad, slopes["w"].sum((0, 1)), atol=1e-13)
    np.testing.assert_allclose(named["a"].grad, slopes["a"].sum(), atol=1e-13)


@pytest.mark.parametrize("observables", OBSERVABLES, ids=len)
def test_derivatives_against_differences(observables):
    inputs = tuple(tensors().values())
    assert torch.autograd.gradcheck(function(observables), inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function(observables), inputs)


@pytest.mark.parametrize("observables", OBSERVABLES, ids=len)
def test_transforms_of_torch_func(observables):
    from torch.func import grad, hessian, jacfwd, jacrev, vmap

    f = function(observables)
    x, w, a = tensors(grad=False).values()

    def total(w):
        return f(x, w, a).sum()

    first = torch.autograd.functional.jacobian(total, w)
    second = torch.autograd.functional.hessian(total, w)
    torch.testing.assert_close(grad(total)(w), first)
    torch.testing.assert_close(jacrev(total)(w), first)
    torch.testing.assert_close(jacfwd(total)(w), first)
    torch.testing.assert_close(hessian(total)(w), second)
    torch.testing.assert_close(jacrev(jacrev(total))(w), second)
    mapped = vmap(f, (0, None, None))(x, w, a)
    torch.testing.assert_close(mapped, torch.stack([f(row, w, a) for row in x]))
    each = vmap(grad(lambda row: f(row, w, a).sum()))(x)
    torch.testing.assert_close(each, torch.stack([grad(lambda row: f(row, w, a).sum())(row) for row in x]))


def test_one_core_call_for_a_mapped_batch(monkeypatch):
    program, calls = qsim.compile(CIRCUIT, ["Z0"]), []
    expectation = type(program).expectation
    monkeypatch.setattr(
        type(program), "expectation", lambda self, v: calls.append(len(v)) or expectation(self, v)
    )
    named = tensors(64, grad=False)
    torch.func.vmap(lambda row: qt.expectation(program, None, {**named, "x": row}))(named["x"])
    assert calls == [64]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_layers_keep_shape_and_dtype(dtype, shape):
    layer = qt.QuantumLayer(CIRCUIT, ["Z0", "Z1"])
    inputs = torch.rand(*shape, 2, dtype=dtype)
    out = layer(inputs)
    assert out.shape == (*shape, 2) and out.dtype == dtype
    assert qt.QuantumLayer(CIRCUIT, "Z0")(inputs).shape == shape
    assert {k: tuple(v.shape) for k, v in layer.state_dict().items()} == {"w": (3,), "a": ()}
    out.sum().backward()
    assert layer.w.grad.shape == (3,) and layer.w.grad.dtype == torch.float32


def test_layers_copy_pickle_and_load():
    layer, other = qt.QuantumLayer(CIRCUIT, ["Z0"]), qt.QuantumLayer(CIRCUIT, ["Z0"])
    inputs = torch.rand(3, 2)
    wanted = layer(inputs)
    assert not torch.equal(other(inputs), wanted)
    other.load_state_dict(layer.state_dict())
    for same in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(same(inputs), wanted)
    assert layer.double()(inputs.double()).dtype == torch.float64
    chosen = {"w": [0.1, 0.2, 0.3], "a": 0.4}
    assert qt.QuantumLayer(CIRCUIT, "Z0", init=chosen).a.item() == pytest.approx(0.4)
    assert not qt.QuantumLayer(CIRCUIT, "Z0", init=torch.nn.init.zeros_).w.any()
    assert "inputs x" in repr(layer)


class Rows(torch.utils.data.Dataset):
    def __init__(self):
        self.layer = qt.QuantumLayer(CIRCUIT, ["Z0"], init=torch.nn.init.ones_)

    def __len__(self):
        return 6

    def __getitem__(self, i):
        with torch.no_grad():
            return self.layer(torch.full((2,), 0.1 * i))


def compute_in_workers():
    data = Rows()
    before = torch.stack([data[i] for i in range(6)])  # the parent has used its threads
    rows = torch.cat(list(torch.utils.data.DataLoader(data, batch_size=2, num_workers=2)))
    torch.testing.assert_close(rows, before)


def test_workers_of_data_loaders_compute():
    """In a process without JAX, whose threads other tests start and which no fork survives."""
    code = "import test_torch; test_torch.compute_in_workers()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, env=ENVIRONMENT, timeout=300
    )
    assert done.returncode == 0


def test_it_trains():
    torch.manual_seed(0)
    layer = qt.QuantumLayer(CIRCUIT, ["Z0"])
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), layer, torch.nn.Linear(1, 1))
    data = torch.rand(32, 3)
    target = torch.sin(2 * data.sum(1, keepdim=True))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(data), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_compiled_whole():
    layer = qt.QuantumLayer(CIRCUIT, ["Z0", "Z1"])
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), layer, torch.nn.Linear(2, 1))
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    inputs = torch.rand(7, 3)
    torch.testing.assert_close(compiled(inputs), model(inputs))
    compiled(inputs).sum().backward()
    found = layer.w.grad.clone()
    model.zero_grad()
    model(inputs).sum().backward()
    torch.testing.assert_close(found, layer.w.grad)


def test_operators_by_pytorchs_own_check():
    layer = qt.QuantumLayer(CIRCUIT, ["Z0", "Z1"])
    rows = torch.rand(4, 6, dtype=torch.float64, requires_grad=True)
    assert set(torch.library.opcheck(values_of, (rows, layer._number, 2)).values()) == {"SUCCESS"}


def test_mixed_dtypes_promote():
    named = tensors()
    named["w"] = named["w"].detach().float().requires_grad_()
    assert qt.expectation(CIRCUIT, "Z0", named).dtype == torch.float64
    qt.expectation(CIRCUIT, "Z0", named).sum().backward()
    assert named["w"].grad.dtype == torch.float32 and named["x"].grad.dtype == torch.float64


def test_errors():
    named = tensors()
    with pytest.raises(ParameterError, match="none for `w`"):
        qt.expectation(CIRCUIT, "Z0", {"x": named["x"], "a": named["a"]})
    with pytest.raises(ParameterError, match="names `b`"):
        qt.expectation(CIRCUIT, "Z0", {**named, "b": named["a"]})
    with pytest.raises(ParameterError, match=r"`w` must have shape \(\.\.\., 3\)"):
        qt.expectation(CIRCUIT, "Z0", {**named, "w": torch.zeros(4)})
    with pytest.raises(ParameterError, match="row 2"):
        qt.expectation(
            CIRCUIT, "Z0", {**named, "x": torch.tensor([[0.0, 0], [0, 0], [float("nan"), 0], [0, 0]])}
        )
    with pytest.raises(ParameterError, match=r"shape \(\.\.\., 6\)"):
        qt.expectation(CIRCUIT, "Z0", torch.zeros(2, 5))
    with pytest.raises(TypeError, match="must be a tensor of real numbers, but is list"):
        qt.expectation(CIRCUIT, "Z0", {**named, "x": [[0.1, 0.2]]})
    with pytest.raises(ArgumentError, match="names 'y'"):
        qt.QuantumLayer(CIRCUIT, "Z0", inputs="y")
    with pytest.raises(ArgumentError, match="must have the weights w, a"):
        qt.QuantumLayer(CIRCUIT, "Z0", init={"w": [1, 2, 3]})
    layer = qt.QuantumLayer(CIRCUIT, "Z0")
    with pytest.raises(ArgumentError, match="takes 1 input"):
        layer()
    value = qt.expectation(CIRCUIT, "Z0", named).sum()
    (first,) = torch.autograd.grad(value, named["w"], create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), named["w"], create_graph=True)
    with pytest.raises(GradientError, match="third derivative"):
        torch.autograd.grad(second.sum(), named["w"])
    measured = qsim.Circuit(1, 1).ry(qsim.Parameter("t"), 0).measure(0, 0).ry(0.2, 0)
    value = qt.expectation(measured, "Z0", torch.tensor([0.3], requires_grad=True))
    with pytest.raises(GradientError, match="measure"):
        value.backward()


def test_layers_in_pipelines_of_scikit_learn():
    """A layer as a step between a scaler and a classifier, searched over as any other step."""
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

    upload = qsim.Circuit(2).ry(x[0], 0).ry(x[1], 1)
    layer = qt.QuantumLayer(upload, ["X0", "X1", "X0 X1"], inputs="x")  # sines, and their product

    def encode(X):
        return layer(torch.tensor(X)).numpy()

    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (60, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    model = make_pipeline(MinMaxScaler((-1.5, 1.5)), FunctionTransformer(encode), LogisticRegression())
    grid = {"logisticregression__C": [1.0, 100.0]}
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.9 > LogisticRegression().fit(X, y).score(X, y)


def test_inputs_of_layers_are_real_numbers():
    layer = qt.QuantumLayer(CIRCUIT, ["Z0", "X1"])
    whole = torch.tensor([[1, 2], [3, -4]])
    torch.testing.assert_close(layer(whole), layer(whole.float()))
    for bad in (whole.bool(), whole.to(torch.complex64), whole.numpy()):
        with pytest.raises(TypeError, match="Parameter `x` must be a tensor of real numbers, but is"):
            layer(bad)

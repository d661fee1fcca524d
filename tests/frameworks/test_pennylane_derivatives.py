"""Derivatives of the device `qsim.qubit`, by each interface, against PennyLane's own and closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qsim.errors import GradientError

qml = pytest.importorskip("pennylane")

from pennylane import numpy as pnp  # noqa: E402
from pennylane.devices import ExecutionConfig  # noqa: E402
from pennylane.tape import QuantumScript  # noqa: E402

RNG = np.random.default_rng(7)
X, W = np.array([0.4, -0.5, 1.3]), np.array([0.1, 0.2, 0.3])


def prepare(x, w):
    qml.RX(x, 0)
    qml.Rot(w[0], w[1], w[2], 1)
    qml.CNOT([0, 1])
    qml.SingleExcitation(w[1], [2, 1])
    qml.RY(w[0] * 2, 2)
    qml.PauliRot(w[2], "XZ", [2, 0])


#: Names, what is measured, and a real function of it.
LOSSES = {
    "expval": (lambda: qml.expval(qml.Z(0) @ qml.X(2)), lambda m, v: m.sum(v)),
    "expval-sum": (lambda: qml.expval(qml.Z(0) + 0.3 * qml.Y(1) @ qml.X(2)), lambda m, v: m.sum(v**2)),
    "expval-matrix": (lambda: qml.expval(qml.Hermitian([[1, 2j], [-2j, 0.3]], 2)), lambda m, v: m.sum(v)),
    "var": (lambda: qml.var(qml.Y(1)), lambda m, v: m.sum(v)),
    "probs": (lambda: qml.probs([2, 0]), lambda m, v: m.sum(v**2 * m.linspace(v))),
    "probs-observable": (lambda: qml.probs(op=qml.X(1)), lambda m, v: m.sum(v**2)),
    "purity": (lambda: qml.purity([1]), lambda m, v: m.sum(v)),
    "entropy": (lambda: qml.vn_entropy([1]), lambda m, v: m.sum(v)),
    "mutual-information": (lambda: qml.mutual_info([0], [1, 2]), lambda m, v: m.sum(v)),
    "state": (lambda: qml.state(), lambda m, v: m.sum(m.real(v) ** 3 + m.imag(v) ** 2 * m.real(v))),
    "density-matrix": (
        lambda: qml.density_matrix([2, 0]),
        lambda m, v: m.sum(m.real(v) ** 3 - m.imag(v) ** 2),
    ),
}


class Autograd:
    sum, real, imag = pnp.sum, pnp.real, pnp.imag

    @staticmethod
    def linspace(value):
        return np.linspace(1, 2, value.shape[-1])


def loss(device, name, module, **how):
    measure, function = LOSSES[name]
    node = qml.QNode(lambda x, w: (prepare(x, w), measure())[1], device, **how)
    return lambda x, w: function(module, node(x, w))


def devices():
    return qml.device("qsim.qubit", wires=3), qml.device("default.qubit", wires=3)


@pytest.mark.parametrize("batch", [False, True], ids=["one", "batch"])
@pytest.mark.parametrize("name", LOSSES)
def test_autograd(name, batch):
    x, w = pnp.array(X if batch else X[0], requires_grad=True), pnp.array(W, requires_grad=True)
    ours, theirs = (qml.grad(loss(d, name, Autograd))(x, w) for d in devices())
    for found, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-10)


def torch_module():
    torch = pytest.importorskip("torch")

    class Torch:
        sum, real, imag = torch.sum, torch.real, torch.imag

        @staticmethod
        def linspace(value):
            return torch.linspace(1, 2, value.shape[-1], dtype=torch.float64)

    return torch, Torch


@pytest.mark.parametrize("batch", [False, True], ids=["one", "batch"])
@pytest.mark.parametrize("name", LOSSES)
def test_torch(name, batch):
    torch, module = torch_module()
    found = []
    for device in devices():
        x = torch.tensor(X if batch else X[0], requires_grad=True)
        w = torch.tensor(W, requires_grad=True)
        value = loss(device, name, module)(x, w)
        found.append([value.detach(), *torch.autograd.grad(value, (x, w))])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


def jax_module():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)

    class Jax:
        sum, real, imag = jax.numpy.sum, jax.numpy.real, jax.numpy.imag

        @staticmethod
        def linspace(value):
            return jax.numpy.linspace(1, 2, value.shape[-1])

    return jax, Jax


@pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("batch", [False, True], ids=["one", "batch"])
@pytest.mark.parametrize("name", ["expval", "probs", "var", "state"])
def test_jax(name, batch, jit):
    jax, module = jax_module()
    x, w = jax.numpy.array(X if batch else X[0]), jax.numpy.array(W)
    device, reference = devices()
    ours = jax.grad(loss(device, name, module), argnums=(0, 1))
    found = (jax.jit(ours) if jit else ours)(x, w)
    wanted = jax.grad(loss(reference, name, module), argnums=(0, 1))(x, w)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


def test_jax_maps_become_batches():
    jax, module = jax_module()
    device, reference = devices()
    gradient = {
        d: jax.vmap(jax.grad(loss(d, "expval", module)), in_axes=(0, None))(
            jax.numpy.array(X), jax.numpy.array(W)
        )
        for d in (device, reference)
    }
    np.testing.assert_allclose(gradient[device], gradient[reference], atol=1e-10)


#: Results of one and of several measurements, each with shapes of its own.
RETURNED = {
    "expval": lambda: qml.expval(qml.Z(0) @ qml.X(2)),
    "probs": lambda: qml.probs([2, 0]),
    "expvals": lambda: (qml.expval(qml.Z(0)), qml.expval(qml.X(1))),
    "mixed": lambda: (qml.probs([0]), qml.var(qml.Z(1)), qml.probs(op=qml.X(2))),
}


@pytest.mark.parametrize(
    ("how", "device_vjp", "jit"),
    [("one", None, False), ("one", False, True), ("batch", True, True), ("map", None, False)],
)
@pytest.mark.parametrize("name", RETURNED)
def test_jax_jacobians_row_by_row(name, device_vjp, how, jit):
    jax, _ = jax_module()
    options = {} if device_vjp is None else {"diff_method": "adjoint", "device_vjp": device_vjp}
    found = []
    for device, given in zip(devices(), (options, {}), strict=True):
        node = qml.QNode(lambda x, w: (prepare(x, w), RETURNED[name]())[1], device, **given)
        jacobian = jax.jacrev(node, argnums=(0, 1))
        if how == "map":
            jacobian = jax.vmap(jacobian, in_axes=(0, None))
        x = jax.numpy.array(X[0] if how == "one" else X)
        result = (jax.jit(jacobian) if jit else jacobian)(x, jax.numpy.array(W))
        found.append(jax.tree_util.tree_leaves(result))
    for ours, theirs in zip(*found, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


# -- second derivatives: right, or refused -------------------------------------------------------------
def second_of_tanh():
    """d2/dx2 cos(tanh(1.7 x + 0.2)) at 0.4."""
    u = np.tanh(1.7 * 0.4 + 0.2)
    first = 1.7 * (1 - u**2)
    return -np.cos(u) * first**2 - np.sin(u) * (-2 * u * first * 1.7)


@pytest.mark.parametrize("diff_method", ["best", "adjoint"])
def test_second_derivatives_through_classical_functions(diff_method):
    torch, _ = torch_module()
    node = qml.QNode(
        lambda x: (qml.RX(x, 0), qml.expval(qml.Z(0)))[1],
        qml.device("qsim.qubit", wires=1),
        diff_method=diff_method,
    )
    x = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(node(torch.tanh(1.7 * x + 0.2)), x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    assert abs(second.item() - 0.776038) < 1e-6
    assert abs(second.item() - second_of_tanh()) < 1e-12
    found = qml.grad(qml.grad(lambda x: node(pnp.tanh(1.7 * x + 0.2))))(pnp.array(0.4, requires_grad=True))
    assert abs(found - second_of_tanh()) < 1e-12


@pytest.mark.parametrize("name", [n for n in LOSSES if n not in ("entropy", "mutual-information")])
def test_hessians(name):
    torch, module = torch_module()
    device, reference = devices()
    x, w = torch.tensor(X), torch.tensor(W)
    found = torch.autograd.functional.hessian(loss(device, name, module), (x, w))
    wanted = torch.autograd.functional.hessian(loss(reference, name, module), (x, w))
    for row, wanted_row in zip(found, wanted, strict=True):
        for a, b in zip(row, wanted_row, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)
    px, pw = pnp.array(X, requires_grad=True), pnp.array(W, requires_grad=True)
    by_w = qml.jacobian(qml.grad(loss(device, name, Autograd), argnums=1), argnums=1)(px, pw)
    np.testing.assert_allclose(by_w, wanted[1][1], atol=1e-9)


def test_torch_checks():
    torch, _ = torch_module()
    node = qml.QNode(
        lambda x, w: (prepare(x, w), qml.expval(qml.Z(0)), qml.probs([1]))[1:],
        qml.device("qsim.qubit", wires=3),
    )
    inputs = (torch.tensor(X, requires_grad=True), torch.tensor(W, requires_grad=True))
    assert torch.autograd.gradcheck(lambda x, w: tuple(node(x, w)), inputs)
    assert torch.autograd.gradgradcheck(lambda x, w: tuple(node(x, w)), inputs)


def test_torch_transforms():
    torch, module = torch_module()
    device, reference = devices()
    x, w = torch.tensor(X), torch.tensor(W)
    one, other = (loss(d, "expval", module) for d in (device, reference))
    np.testing.assert_allclose(torch.func.hessian(one)(x, w), torch.func.hessian(other)(x, w), atol=1e-9)
    mapped = torch.func.vmap(torch.func.grad(one), in_dims=(0, None))(x, w)
    np.testing.assert_allclose(mapped, torch.func.grad(one)(x, w), atol=1e-10)


def test_entropies_have_no_second_derivative():
    torch, module = torch_module()
    x, w = torch.tensor(X[0], requires_grad=True), torch.tensor(W, requires_grad=True)
    (first,) = torch.autograd.grad(loss(devices()[0], "entropy", module)(x, w), x, create_graph=True)
    with pytest.raises(GradientError, match="entropy"):
        torch.autograd.grad(first, x)


def test_jax_refuses_a_second_derivative():
    jax, module = jax_module()
    with pytest.raises(ValueError, match="JVP"):
        jax.hessian(loss(devices()[0], "expval", module))(jax.numpy.array(0.4), jax.numpy.array(W))


# -- states, shots and what is not trainable -------------------------------------------------------------
def test_derivatives_by_a_prepared_state():
    torch, _ = torch_module()
    amplitudes = torch.tensor(RNG.normal(size=(3, 4)))
    amplitudes /= amplitudes.norm(dim=1, keepdim=True)
    found = []
    for device in devices():

        @qml.qnode(device)
        def node(state, w):
            qml.StatePrep(state, wires=[2, 0], normalize=True)
            prepare(0.3, w)
            return qml.expval(qml.Y(1))

        state, w = amplitudes.clone().requires_grad_(), torch.tensor(W, requires_grad=True)
        found.append(torch.autograd.grad((node(state, w) ** 2).sum(), (state, w)))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


@pytest.mark.parametrize("batch", [False, True], ids=["one", "batch"])
@pytest.mark.parametrize("is_complex", [False, True], ids=["real", "complex"])
def test_autograd_differentiates_by_a_prepared_state(batch, is_complex):
    parts = np.random.default_rng(8).normal(size=(2, 3, 4))
    left, right = (pnp.array(p if batch else p[0], requires_grad=True) for p in parts)
    found = []
    for device in devices():

        @qml.qnode(device)
        def node(state, w):
            qml.AmplitudeEmbedding(state, wires=[2, 0], normalize=True)
            prepare(0.3, w)
            return qml.probs([1, 2])

        def cost(left, right, w, node=node):
            state = left + 1j * right if is_complex else left * right
            return pnp.sum(node(state, w) ** 2 * np.linspace(1, 2, 4))

        found.append(qml.grad(cost)(left, right, pnp.array(W, requires_grad=True)))
    for ours, theirs in zip(*found, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


def test_autograd_refuses_second_derivatives_with_a_trainable_state():
    node = qml.QNode(
        lambda x, w: (qml.StatePrep(x, [0], normalize=True), qml.RX(w, 0), qml.expval(qml.Z(0)))[-1],
        qml.device("qsim.qubit", wires=1),
    )
    x, w = pnp.array([0.6, 0.8]), pnp.array(0.3)
    with pytest.raises(GradientError, match="prepared state"):
        qml.jacobian(qml.grad(node, argnums=0), argnums=0)(x, w)


def test_shots_are_differentiated_by_shifts():
    device = qml.device("qsim.qubit", wires=3, seed=5)
    node = qml.set_shots(qml.QNode(lambda x: (prepare(x, W), qml.expval(qml.Z(0)))[1], device), 20_000)
    found = qml.grad(node)(pnp.array(0.4, requires_grad=True))
    exact = qml.grad(qml.QNode(node.func, devices()[1]))(pnp.array(0.4, requires_grad=True))
    assert abs(found - exact) < 5 / np.sqrt(20_000)
    with pytest.raises(qml.exceptions.QuantumFunctionError, match="adjoint"):
        qml.set_shots(qml.QNode(node.func, device, diff_method="adjoint"), 10)(
            pnp.array(0.4, requires_grad=True)
        )


def test_by_numbers_of_an_observable_pennylane_differentiates_itself():
    def circuit(x, c):
        qml.RX(x, 0)
        return qml.expval(qml.Hamiltonian([c, 0.5], [qml.Z(0), qml.Y(0)]))

    x, c = pnp.array(0.4, requires_grad=True), pnp.array(0.7, requires_grad=True)
    device, _ = devices()
    found = qml.grad(qml.QNode(circuit, device))(x, c)
    np.testing.assert_allclose(found, (-0.7 * np.sin(0.4) - 0.5 * np.cos(0.4), np.cos(0.4)), atol=1e-12)
    with pytest.raises(qml.exceptions.QuantumFunctionError, match="adjoint"):
        qml.grad(qml.QNode(circuit, device, diff_method="adjoint"))(x, c)


# -- the methods of the device themselves -----------------------------------------------------------------
CONFIG = ExecutionConfig(gradient_method="adjoint")


def tape(x=0.7):
    operations = [qml.RX(x, 0), qml.CRY(0.4, [0, 1]), qml.RZ(0.3, 1), qml.RX(0.2, 1)]
    measured = [qml.expval(qml.Y(1)), qml.probs([1, 0]), qml.var(qml.Z(0))]
    return QuantumScript(operations, measured, trainable_params=[0, 1, 3])


def test_products_are_those_of_the_jacobian():
    device = qml.device("qsim.qubit", wires=2)
    results, (jacobian,) = device.execute_and_compute_derivatives([tape()], CONFIG)
    np.testing.assert_allclose(results[0][1], device.execute([tape()])[0][1])
    step = 1e-5
    ahead, behind = (device.execute([tape(0.7 + s)])[0] for s in (step, -step))
    for k in range(3):
        np.testing.assert_allclose(jacobian[k][0], (ahead[k] - behind[k]) / (2 * step), atol=1e-9)
    tangents = (0.3, -1.0, 2.0)
    _, (pushed,) = device.execute_and_compute_jvp([tape()], [tangents], CONFIG)
    cotangents = (0.5, RNG.normal(size=4), -0.2)
    _, (pulled,) = device.execute_and_compute_vjp([tape()], [cotangents], CONFIG)
    for k in range(3):
        along = sum(t * np.asarray(j) for t, j in zip(tangents, jacobian[k], strict=True))
        np.testing.assert_allclose(pushed[k], along, atol=1e-12)
    for p in range(3):
        whole = sum(np.sum(c * np.asarray(jacobian[k][p])) for k, c in enumerate(cotangents))
        np.testing.assert_allclose(pulled[p], whole, atol=1e-12)


def test_products_keep_the_batch():
    device = qml.device("qsim.qubit", wires=2)
    batch = np.array([0.1, 0.7, -0.4])
    rows = [tape(x) for x in batch]
    cotangent = RNG.normal(size=(3,)), RNG.normal(size=(3, 4)), RNG.normal(size=(3,))
    (pulled,) = device.compute_vjp([tape(batch)], [cotangent], CONFIG)
    each = device.compute_vjp(rows, [tuple(c[k] for c in cotangent) for k in range(3)], CONFIG)
    np.testing.assert_allclose(pulled[0], [e[0] for e in each], atol=1e-12)
    np.testing.assert_allclose(pulled[1], sum(e[1] for e in each), atol=1e-12)
    (pushed,) = device.compute_jvp([tape(batch)], [(RNG.normal(size=3), 0.2, 0.1)], CONFIG)
    assert [np.shape(p) for p in pushed] == [(3,), (3, 4), (3,)]


def test_what_is_tracked():
    device = qml.device("qsim.qubit", wires=2)
    with qml.Tracker(device) as tracker:
        device.compute_vjp([tape()], [(1.0, np.ones(4), 1.0)], CONFIG)
        device.execute_and_compute_vjp([tape()], [(1.0, np.ones(4), 1.0)], CONFIG)
        device.compute_derivatives([tape()], CONFIG)
    counted = {"vjp_batches": 1, "vjps": 2, "execute_and_vjp_batches": 1, "executions": 1, "derivatives": 1}
    assert {key: tracker.totals[key] for key in counted} == counted


# -- where people combine it --------------------------------------------------------------------------------
def test_the_example_finds_the_energy_of_hydrogen(monkeypatch, capsys):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "examples")
    import pennylane_vqe_h2

    assert pennylane_vqe_h2.main(["--distances", "0.74"]) == 0
    assert "-1.13728383" in capsys.readouterr().out


def test_a_node_inside_a_torch_model_learns():
    torch, _ = torch_module()
    torch.manual_seed(1)
    device = qml.device("qsim.qubit", wires=2)

    @qml.qnode(device)
    def node(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(2))
        qml.StronglyEntanglingLayers(weights, wires=range(2))
        return [qml.expval(qml.Z(k)) for k in range(2)]

    model = torch.nn.Sequential(
        torch.nn.Linear(3, 2), qml.qnn.TorchLayer(node, {"weights": (2, 2, 3)}), torch.nn.Linear(2, 1)
    )
    inputs = torch.randn(32, 3)
    labels = (inputs[:, :1] > 0).float()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(model(inputs).float(), labels)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert all(p.grad is not None and p.grad.dtype == p.dtype for p in model.parameters())
    assert losses[-1] < 0.5 * losses[0]


def test_a_node_inside_a_scikit_learn_pipeline():
    pytest.importorskip("sklearn")
    from sklearn.datasets import make_circles
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

    device = qml.device("qsim.qubit", wires=2)

    @qml.qnode(device)
    def node(rows):
        qml.AngleEmbedding(rows, wires=range(2))
        return [qml.expval(qml.Z(0)), qml.expval(qml.Z(1)), qml.expval(qml.Z(0) @ qml.Z(1))]

    inputs, labels = make_circles(120, noise=0.1, factor=0.4, random_state=1)
    pipeline = make_pipeline(
        MinMaxScaler((-2, 2)),
        FunctionTransformer(lambda rows: np.stack(node(rows), axis=1)),
        LogisticRegression(),
    )
    search = GridSearchCV(pipeline, {"logisticregression__C": [1.0, 100.0]}, cv=3)
    with qml.Tracker(device) as tracker:
        search.fit(inputs, labels)
    assert search.best_score_ > 0.9
    assert tracker.totals["executions"] == tracker.totals["batches"] <= 16  # one for each set of rows

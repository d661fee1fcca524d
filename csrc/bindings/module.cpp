#include "array_checks.hpp"

namespace {

bool interpreter_has_signal() {
  if (PyGILState_GetThisThreadState() == nullptr) return false;  // no thread of Python's: it hears no signals
  const PyGILState_STATE state = qsim::take_gil([] { return PyGILState_Ensure(); });
  const bool found = PyErr_CheckSignals() != 0;  // the exception stays set until without_gil picks it up
  PyGILState_Release(state);
  return found;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled core of qsim: executes tapes. Arguments are checked; see qsim.backends for its use.";
  qsim::bind_dispatch(m);
  qsim::bind_tape(m);
  qsim::bind_reductions(m);
  qsim::bind_lanes(m);
  qsim::bind_rows(m);
  qsim::bind_xla(m);
  qsim::set_interrupt_check(&interpreter_has_signal);
}

"""A model of yes/no and whole-number unknowns in which every constraint belongs to a printed number."""

from nxp2lib import digits

LONG = 30  # facts: more than this are not tried one by one
SETTINGS = {
    "num_workers": 1,
    "random_seed": 0,
    "max_deterministic_time": 30,  # in the solver's own units of work
    "linearization_level": 2,
    "catch_sigint_signal": False,  # Ctrl-C stops the command, not the search alone
}
PROOF = {"cp_model_probing_level": 0}  # little is spent on preparing the model


class Infeasible(ValueError):
    """Nothing keeps all facts together; the message names facts that exclude one another."""


class NotReached(RuntimeError):
    """The search ended before all facts were kept, which proves nothing."""


class Puzzle:
    """A constraint model whose facts can be named when they exclude one another."""

    def __init__(self):
        from ortools.sat.python import cp_model

        self.model = cp_model.CpModel()
        self.switches = {}  # what a fact says -> the literal that enforces it

    def demand(self, constraint, fact) -> None:
        """Add a constraint that belongs to a fact."""
        name = f"{fact.expression} = {fact.printed} ({fact.place})"
        if name not in self.switches:
            self.switches[name] = self.model.new_bool_var(name)
        self.model.add(constraint).only_enforce_if(self.switches[name])

    def rounds_to(self, numerator, denominator, fact) -> None:
        """Demand that a ratio of whole numbers rounds, half up, to the printed digits."""
        scale = 2 * 10 ** digits.decimals(fact.printed)
        low, high = (int(scale * end) for end in digits.interval(fact.printed))
        self.demand(scale * numerator >= low * denominator, fact)
        self.demand(scale * numerator < high * denominator, fact)

    def any_of(self, *literals):
        """Return a literal that holds when at least one of the literals does."""
        if len(literals) == 1:
            return literals[0]
        literal = self.model.new_bool_var("")
        self.model.add_max_equality(literal, literals)
        return literal

    def none_of(self, *literals):
        """Return a literal that holds when none of the literals does."""
        return ~self.any_of(*literals)

    def all_of(self, *literals):
        """Return a literal that holds when all of the literals do."""
        return self.none_of(*(~literal for literal in literals))

    def neighbours(self, values, place: int, highest: int):
        """Return the value at a place of the sorted values, counted from 1, and the one after it.

        No value lies below 0 or above ``highest``.
        """
        below, above = (self.model.new_int_var(0, highest, "") for _ in range(2))
        lower, last, first = ([self.model.new_bool_var("") for _ in values] for _ in range(3))
        for value, is_lower, is_last, is_first in zip(values, lower, last, first, strict=True):
            self.model.add(value <= below).only_enforce_if(is_lower)
            self.model.add(value >= above).only_enforce_if(~is_lower)
            self.model.add(value == below).only_enforce_if(is_last)
            self.model.add(value == above).only_enforce_if(is_first)
            self.model.add_implication(is_last, is_lower)
            self.model.add_implication(is_first, ~is_lower)
        self.model.add(below <= above)
        self.model.add(sum(lower) == place)
        self.model.add_bool_or(last)
        self.model.add_bool_or(first)
        return below, above

    def solve(self, seed: int, given: str = ""):
        """Return a solver that holds a solution; raise Infeasible where there is none.

        ``given`` says what was settled before, so that the message does not claim more than was shown.
        """
        trial, solver = self.model.clone(), new_solver(random_seed=seed, relative_gap_limit=0.1)
        trial.add_bool_and(self.switches.values())
        status = solver.status_name(solver.solve(trial))
        if status == "INFEASIBLE":
            guilty = "; ".join(self.conflict() or self.switches)
            raise Infeasible(f"these printed numbers exclude one another{given}: {guilty}")
        if status not in ("OPTIMAL", "FEASIBLE"):
            raise NotReached(f"the solver ended without an answer ({status})")
        return solver

    def conflict(self, suspects=None) -> list[str]:
        """Return facts that cannot hold together while any of them can be dropped, among the suspects (all, if None).

        They are dropped in the order given, where what is left still conflicts; a long list is first cut down to what
        the solver's own proof needs. An empty list means that no conflict was found. For a large model the answer may
        be longer than needed, since a proof not found in time counts as none.
        """
        guilty = list(self.switches if suspects is None else suspects)
        core = self._core(guilty)
        if not core or len(guilty) > LONG:
            guilty = core
        for name in list(guilty):
            rest = [other for other in guilty if other != name]
            guilty = rest if self._core(rest) else guilty
        return guilty

    def _core(self, facts: list[str]) -> list[str]:
        """Return those of the facts that already exclude one another; none where that is not shown."""
        trial, solver = self.model.clone(), new_solver(**PROOF, max_deterministic_time=2)
        trial.clear_objective()
        trial.add_assumptions([self.switches[name] for name in facts])
        if solver.status_name(solver.solve(trial)) != "INFEASIBLE":
            return []
        core = set(solver.sufficient_assumptions_for_infeasibility())
        return [name for name in facts if self.switches[name].index in core]

    def least_to_drop(self, weights: dict[str, int]) -> list[str]:
        """Return the facts that weigh least among those without which all others hold together, proved by the solver.

        ``weights`` gives each fact a positive whole number. Raises NotReached where the proof is not found in time.
        """
        trial, solver = self.model.clone(), new_solver(**PROOF)
        trial.maximize(sum(weight * self.switches[name] for name, weight in weights.items()))
        status = solver.status_name(solver.solve(trial))
        if status != "OPTIMAL":
            raise NotReached(f"the solver did not prove which facts have to be dropped ({status})")
        return [name for name in weights if not solver.value(self.switches[name])]

    def can_hold(self, facts, also=None) -> bool:
        """Tell whether facts can hold, together with one more constraint if given; False where not shown in time."""
        trial, solver = self.model.clone(), new_solver(**PROOF)
        trial.add_bool_and([self.switches[name] for name in facts])
        if also is not None:
            trial.add(also)
        return solver.status_name(solver.solve(trial)) in ("OPTIMAL", "FEASIBLE")

    def bounds(self, number, facts) -> tuple[int, int]:
        """Return the least and the greatest that a number can be while all of the facts hold, proved by the solver.

        Raises Infeasible where the facts exclude one another, NotReached where the proof is not found in time.
        """
        return tuple(round(self.extreme(number, facts, end).objective_value) for end in ("least", "greatest"))

    def extreme(self, number, facts, end: str):
        """Return a solver that holds a solution in which a number is ``least`` or ``greatest`` while the facts hold.

        Raises as `bounds` does.
        """
        trial, solver = self.model.clone(), new_solver(**PROOF)
        trial.add_bool_and([self.switches[name] for name in facts])
        (trial.minimize if end == "least" else trial.maximize)(number)
        status = solver.status_name(solver.solve(trial))
        if status == "INFEASIBLE":
            raise Infeasible(f"these printed numbers exclude one another: {'; '.join(self.conflict(facts))}")
        if status != "OPTIMAL":
            raise NotReached(f"the solver did not prove how far the number can go ({status})")
        return solver


def new_solver(**settings):
    """Return a solver whose answer depends on its settings and the model alone, and is proved if there is time."""
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    for name, value in {**SETTINGS, **settings}.items():
        setattr(solver.parameters, name, value)
    return solver

"""What PP002 knows of stores that keep each other."""

from plugport.lint_rules.analysis.flow.facts import Facts, Item
from plugport.lint_rules.analysis.flow.heap import Heap
from plugport.lint_rules.analysis.flow.values import STORE


def test_each_of_many_stores_that_keep_each_other_is_settled_once():
    names = [f"app.store{number}" for number in range(30)]
    heap = {name: [Item(STORE, other, (), "app.py", 1, "") for other in names] for name in names}
    settled = Heap(Facts(heap=heap)).settled(names[0], ("error",))  # by every way: 30 to the power of 6 places
    assert sorted(settled) == sorted((name, ("error",)) for name in names)

"""The promises of a backend, as tests: subclass `BackendConformance` and give it one fixture, `under_test`."""

from __future__ import annotations

from .activation import ActivationPromises
from .conditions import ConditionPromises
from .delivery import DeliveryPromises
from .faults import FaultPromises
from .queries import QueryPromises
from .target import TargetPromises
from .uninstall import UninstallPromises


class BackendConformance(
    DeliveryPromises,
    FaultPromises,
    QueryPromises,
    UninstallPromises,
    TargetPromises,
    ActivationPromises,
    ConditionPromises,
):
    """Each test is one promise. A test of a hook that the provider does not implement is skipped as undeclared.

    class TestMine(BackendConformance):
        @pytest.fixture
        def under_test(self, tmp_path):
            workspace = Workspace("w", backend="mine", options={"path": str(tmp_path)})
            yield BackendUnderTest(provider, workspace, DirectoryFilesystem(tmp_path))
    """

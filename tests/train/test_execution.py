import keras
import pytest

from kbuild.spec.call import Call
from kbuild.spec.train import Execution, Train
from kbuild.train import execution

ADAM = Call("optimizers", "Adam")


def test_precision_holds_inside_only():
    with pytest.raises(ZeroDivisionError), execution.precision(Train(optimizer=ADAM, precision="mixed_bfloat16")):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
        raise ZeroDivisionError
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_the_seed_makes_the_same_weights():
    made = []
    for seed in (1, 1, 2):
        assert execution.prepare(Train(optimizer=ADAM, seed=seed)) == []
        layer = keras.layers.Dense(2)
        layer.build((None, 3))
        made.append(layer.get_weights()[0].tolist())
    assert made[0] == made[1] != made[2]


def test_how_a_step_is_run():
    assert execution.arguments(Train(optimizer=ADAM)) == {"jit_compile": "auto"}
    chosen = Train(optimizer=ADAM, execution=Execution(steps_per_execution=8, jit=False))
    assert execution.arguments(chosen) == {"jit_compile": False, "steps_per_execution": 8}


def test_without_a_gpu_the_device_is_the_cpu():
    assert (execution.device() == "cpu") is not execution.accelerated()

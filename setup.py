"""How kbuild is packaged. Lower bounds are the versions that the test suite was run with."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
ABOUT: dict[str, str] = {}
exec((HERE / "builder" / "kbuild" / "version.py").read_text(encoding="utf-8"), ABOUT)

setup(
    name="kbuild",
    version=ABOUT["__version__"],
    description="Neural networks from a spec: data, network, training and search in one YAML file, built with Keras",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="kbuild authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.14",
    package_dir={"": "builder", "kbuild.specs": "specs"},
    packages=[*find_packages("builder"), "kbuild.blocks", "kbuild.specs"],
    package_data={"kbuild.blocks": ["*.yaml"], "kbuild.specs": ["*.yaml", "*.md", "data/*"]},
    entry_points={"console_scripts": ["kbuild=kbuild.cli.main:main"]},
    install_requires=[
        "tensorflow>=2.21",
        "keras>=3.15.1",
        "keras-tuner>=1.4.8",
        "six>=1.17",  # keras-tuner imports it and does not declare it
        "tensorboard>=2.21",
        "h5py>=3.12",  # in which Keras keeps weights
        "pyyaml>=6.0.3",
        "numpy>=2.4",
        "pydantic>=2.14",
        "typer>=0.29",
        "rich>=15.0",
        "scikit-learn>=1.9",
        "pillow>=13.0",
        "matplotlib>=3.11",
    ],
    extras_require={
        "cuda": ["tensorflow[and-cuda]>=2.21"],
        "jax": ["jax>=0.12"],
        "torch": ["torch"],
        "onnx": ["onnx", "tf2onnx"],
        "ray": ["ray>=2.60"],
        "tabular": ["pyarrow"],
        "dev": [
            "hypothesis>=6.170",
            "jsonschema>=4.26",
            "pyright[nodejs]>=1.1.414",
            "pytest>=9.2",
            "pytest-xdist>=3.8",
            "ray>=2.60",
            "ruff>=0.17.5",
            "setuptools>=65.5",  # a test builds the wheel
            "wheel>=0.48",
        ],
    },
    classifiers=[
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    zip_safe=False,
)

"""The repository root is the package `hotline`; see docs/design.md, "The house"."""

from setuptools import setup

PACKAGES = [
    "hotline",
    "hotline.bench",
    "hotline.bench.fuzz",
    "hotline.bench.lab",
    "hotline.config",
    "hotline.daemon",
    "hotline.daemon.cli",
    "hotline.daemon.services",
    "hotline.daemon.technician",
    "hotline.desk",
    "hotline.desk.migrations",
    "hotline.drivers",
    "hotline.drivers.audiosocket",
    "hotline.drivers.card",
    "hotline.drivers.card.worker",
    "hotline.drivers.dahdi",
    "hotline.drivers.modem",
    "hotline.drivers.simulated",
    "hotline.drivers.sound",
    "hotline.dsp",
    "hotline.voice",
]

# Each range starts at the oldest version the tests ran with and ends before the next
# incompatible series; docs/design.md says why each library is here.
CORE = [
    "numpy>=1.26,<3",
    "scipy>=1.11,<2",
    "pyserial>=3.5,<4",
    "pyodbc>=5,<6",
    "python-daemon>=3,<4; sys_platform != 'win32'",
    "pydantic>=2.7,<3",
    "PyYAML>=6,<7",
    "typer>=0.12,<1",
    "rich>=13,<16",
    "Django>=5.2,<5.3",
    "whitenoise>=6.6,<7",
    "starlette>=0.40,<2",
    "uvicorn>=0.30,<1",
    "websockets>=13,<18",
    "soundfile>=0.12,<1",
    "soxr>=0.4,<2",
    "cryptography>=42",
]

# PyAudio builds against PortAudio's headers; a machine without them still runs every other line.
SOUND = ["PyAudio>=0.2.14,<0.3"]

# For records kept on a server of their own instead of SQLite.
POSTGRESQL = ["psycopg[binary]>=3.2,<4"]

# Pictures of recordings, `hotline listen --plot`.
PLOT = ["matplotlib>=3.8,<4"]

# Coverage-guided fuzzing of the parsers, `make fuzz`; there are wheels for these systems only.
FUZZ = ["atheris>=2.3,<4; sys_platform == 'linux' and platform_machine == 'x86_64' and python_version < '3.15'"]

TEST = [
    *POSTGRESQL,
    *PLOT,
    *SOUND,
    "pytest>=8,<10",
    "pytest-xdist>=3.5,<4",
    "pytest-timeout>=2.3,<3",
    "httpx>=0.27,<1",
    "hypothesis>=6.100,<7",
    "playwright>=1.44,<2",
    "psutil>=5.9,<8",
    "ruff>=0.6,<1",
    "mypy>=1.11,<3",
    "django-stubs>=5.1,<7",
    "types-PyYAML",
    "setuptools>=70.1",  # tests/test_package.py builds without network
]

setup(
    name="hotline",
    version="0.1.0",
    description="A 12329 housing-fund hotline for small centres: analog lines, keys, prompts, fund data over ODBC",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=PACKAGES,
    package_dir={"hotline": "."},
    script_name="setup.py",  # pip does not say so, and this file would be taken for a module of the package
    package_data={
        "hotline": ["py.typed"],
        "hotline.bench.lab": ["*.c"],
        "hotline.config": ["*.toml", "dialogs/*.yaml", "tones/*.toml", "demo/*"],
        "hotline.voice": ["prompts/*.toml", "prompts/*.wav", "prompts/*/*.wav"],
        "hotline.daemon": ["phone/*"],
        "hotline.desk": ["templates/*/*.html", "templates/*/*/*.html", "static/*/*"],
    },
    install_requires=CORE,
    extras_require={"sound": SOUND, "postgresql": POSTGRESQL, "plot": PLOT, "fuzz": FUZZ, "test": TEST},
    entry_points={"console_scripts": ["hotline = hotline.daemon.cli:main"]},
)

"""Django's settings. Everything that differs between centres arrives in the environment, see `desk.setup`."""

from __future__ import annotations

import os
from pathlib import Path

from . import database, keys

STATE = Path(os.environ.get("HOTLINE_STATE", "var"))
KEYS = STATE / "keys"
RECORDINGS = Path(os.environ.get("HOTLINE_RECORDINGS", STATE / "voice" / "prop"))

# Without a state folder (type checking, writing migrations) nothing is signed and no file is made.
SECRET_KEY = keys.make(KEYS, keys.WEB).decode() if "HOTLINE_STATE" in os.environ else "unused"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "hotline.desk.apps.DeskConfig",
    # SimpleAdminConfig leaves the admin modules to urls.py: the daemon needs the tables, not the pages.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "hotline.desk.urls"
ASGI_APPLICATION = "hotline.desk.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database.parse(os.environ.get("HOTLINE_DATABASE", ""), STATE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGGING_CONFIG = None  # the process that runs us says where its log goes

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # served out of the installed packages: no collectstatic on a centre's machine
WHITENOISE_ALLOW_ALL_ORIGINS = False
MEDIA_ROOT = STATE / "uploads"
MEDIA_URL = "uploads/"

# Both are sound; scrypt is four times as quick here and a guesser needs memory for it.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"

# Fifteen idle minutes end a session (GB/T 22239-2019, identification, level 2).
SESSION_COOKIE_NAME = "hotline_desk"
SESSION_COOKIE_AGE = 15 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_NAME = "hotline_csrf"
CSRF_COOKIE_SAMESITE = "Strict"

# scrypt's N for caller PINs: 2**14 with r=8, p=1 takes about 55 ms and 16 MiB on a two-core office machine.
PIN_WORK_FACTOR = 2**14

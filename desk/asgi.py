"""The pages as an ASGI callable: `uvicorn hotline.desk.asgi:application` in an environment `desk.setup` has left."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotline.desk.settings")
application = get_asgi_application()

"""The pages as an ASGI callable, in an environment `desk.setup` has left."""

from __future__ import annotations

import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotline.desk.settings")
# WhiteNoise hands over small files as iterators; that they are read in one go is what we want.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
application = get_asgi_application()

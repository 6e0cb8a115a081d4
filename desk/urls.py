"""The pages of the desk; everything is behind the admin's login."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path, re_path

from . import views

admin.autodiscover()
inside = admin.site.admin_view  # logged in, staff, never cached

urlpatterns = [
    path("statistics/", inside(views.statistics), name="statistics"),
    path("find/", inside(views.find), name="find"),
    path("pin/", inside(views.pin), name="pin"),
    path("recording/<uuid:pk>/", inside(views.recording), name="recording"),
    path("uploads/<path:name>", inside(views.upload), name="upload"),
    re_path(r"^reveal/(?P<kind>vote)/(?P<pk>\d+)/$", inside(views.reveal), name="reveal"),
    re_path(r"^reveal/(?P<kind>message)/(?P<pk>[0-9a-f-]{36})/$", inside(views.reveal), name="reveal"),
    path("", admin.site.urls),
]

"""The pages as they are really served: uvicorn in a process of its own, in the environment `setup` leaves."""

from __future__ import annotations

import subprocess
import sys

import httpx
from django.contrib.auth.models import User


def test_the_pages_are_served_with_their_style_and_without_a_warning(state, tmp_path):
    User.objects.create_superuser("admin", password="a password for a test")
    socket = tmp_path / "socket"
    arguments = ["hotline.desk.asgi:application", f"--uds={socket}", "--no-access-log"]
    command = [sys.executable, "-m", "uvicorn", *arguments]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert server.stderr is not None
    try:
        said = [next(line for line in server.stderr if "running on" in line)]
        transport = httpx.HTTPTransport(uds=str(socket))
        with httpx.Client(transport=transport, base_url="http://localhost", follow_redirects=True) as browser:
            form = {"username": "admin", "password": "a password for a test"}
            form["csrfmiddlewaretoken"] = browser.get("/login/").cookies["hotline_csrf"]
            assert "工作台" in browser.post("/login/?next=/", data=form).text
            style = browser.get("/static/admin/css/base.css")
            assert (style.status_code, style.headers["Content-Type"]) == (200, 'text/css; charset="utf-8"')
            assert browser.get("/statistics/").status_code == 200
    finally:
        server.terminate()
        said += server.stderr.read().splitlines()
        server.stderr.close()
        server.wait()
    assert not [line for line in said if "Warning" in line or "Error" in line]

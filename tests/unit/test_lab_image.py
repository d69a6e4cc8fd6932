"""What goes into the image, and by which way it is fetched."""

import tarfile

import pytest

from cordboard.errors import LabError
from cordboard.lab import image
from cordboard.lab.host_apt import PUBLIC_MIRROR, HostApt, pick_mirror, pick_settings


def names(host_apt):
    with tarfile.open(fileobj=image.build_context(host_apt)) as archive:
        return set(archive.getnames())


def test_a_machine_without_settings_of_its_own_builds_from_the_checkout_alone():
    assert names(HostApt()) == {"Dockerfile", "apt/90cordboard.conf"}


def test_the_machines_proxy_and_certificates_go_along():
    host_apt = HostApt(settings='Acquire::http::Proxy "http://proxy:3128";\n', certificates=b"PEM")
    assert names(host_apt) == {"Dockerfile", "apt/90cordboard.conf", "apt/91host.conf", "apt/host-ca.crt"}


def test_the_tag_follows_the_content_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "apt").mkdir()
    for name in image.CONTEXT_FILES:
        (tmp_path / name).write_bytes((image.CONTEXT_DIR / name).read_bytes())
    original = image.image_tag()
    monkeypatch.setattr(image, "CONTEXT_DIR", tmp_path)
    assert image.image_tag() == original
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert image.image_tag() != original


def test_a_missing_dockerfile_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "CONTEXT_DIR", tmp_path)
    with pytest.raises(LabError, match="Dockerfile is missing"):
        image.image_tag()


@pytest.mark.parametrize(
    ("uris", "mirror"),
    [
        ("", PUBLIC_MIRROR),
        (
            "http://security.example/debian-security/\nhttp://mirror.example/debian/",
            "http://mirror.example/debian",
        ),
        ("http://mirror.example/ubuntu/", PUBLIC_MIRROR),
        ("https://user:password@mirror.example/debian", PUBLIC_MIRROR),
    ],
)
def test_the_mirror_is_the_machines_own_if_it_has_debian(uris, mirror):
    assert pick_mirror(uris) == mirror


def test_only_the_way_out_is_taken_from_apts_settings_and_no_password():
    dump = (
        'APT::Architecture "amd64";\nAcquire::http::Proxy "http://proxy:3128";\n'
        'Acquire::https::Proxy::mirror.example "DIRECT";\nAcquire::https::Proxy "http://user:pw@proxy:1";\n'
    )
    assert pick_settings(dump).splitlines() == [
        'Acquire::http::Proxy "http://proxy:3128";',
        'Acquire::https::Proxy::mirror.example "DIRECT";',
    ]

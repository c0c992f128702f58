"""Lists the cameras, virtual cameras and networks of this machine."""

from realtime_matte import list_cameras, list_models, list_virtual_cameras


def main() -> None:
    """One line each."""
    print("cameras:")
    for camera in list_cameras():
        print(f"  {camera.address}  {camera.name}")
    print("virtual cameras:")
    for loopback in list_virtual_cameras():
        print(f"  {loopback.path}  {loopback.name}")
    print("networks:")
    for model in list_models():
        print(f"  {model.name}  {model.size_bytes / 1e6:.1f} MB  {model.licence}")


if __name__ == "__main__":
    main()

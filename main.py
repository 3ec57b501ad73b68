"""Start Hearth from a checkout or a bundle."""

import multiprocessing

if __name__ == "__main__":
    multiprocessing.freeze_support()
    from app.__main__ import main

    raise SystemExit(main())

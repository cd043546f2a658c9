"""IP over InfiniBand as data: links, and how each network manager is told about them; facts and operations act."""

"""What a pull request changes, judged before it is merged: no engine here, `dreamseed/commands` brings its findings."""

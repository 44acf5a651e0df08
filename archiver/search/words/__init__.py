"""The words of the archive: kept in order, their forms, compounds and near words."""
